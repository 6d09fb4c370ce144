import type {
  DriverCapabilities,
  DriverConnection,
  SyncDriver,
} from "../../src/contract/driver.ts";

/**
 * A broker in memory whose every answer a test decides: what is rare on a real one, on demand. Synchronous, so that
 * a test sees what happens in which turn.
 */
export function createScriptedBroker() {
  const subscribers = new Map<string, Set<(bytes: Uint8Array) => void>>();
  const published: { channel: string; bytes: Uint8Array }[] = [];

  return {
    published,
    subscribers,
    deliver(channel: string, bytes: Uint8Array): void {
      for (const onBytes of subscribers.get(channel) ?? []) onBytes(bytes.slice());
    },
    driver(capabilities: Partial<DriverCapabilities> = {}): ScriptedDriver {
      let listener: (connection: DriverConnection) => void = () => {};
      const log: string[] = [];
      const driver: ScriptedDriver = {
        name: "scripted",
        log,
        closed: 0,
        capabilities: {
          ordering: "channel",
          echo: "always",
          delivery: "at-most-once",
          maxPayload: 1024 * 1024,
          ...capabilities,
        },
        onPublish: async () => {},
        onSubscribe: async () => {},
        onUnsubscribe: async () => {},
        say: (connection) => listener(connection),
        watch(onChange) {
          listener = onChange;
        },
        async publish(channel, bytes) {
          await driver.onPublish(channel, bytes);
          const copy = bytes.slice();
          published.push({ channel, bytes: copy });
          const listeners = [...(subscribers.get(channel) ?? [])];
          for (const onBytes of listeners) onBytes(copy.slice());
          return listeners.length;
        },
        async subscribe(channel, onBytes) {
          log.push(`subscribe ${channel}`);
          await driver.onSubscribe(channel);
          const own = subscribers.get(channel) ?? new Set();
          subscribers.set(channel, own);
          own.add(onBytes);
          log.push(`subscribed ${channel}`);
          return async () => {
            log.push(`unsubscribe ${channel}`);
            await driver.onUnsubscribe(channel);
            own.delete(onBytes);
            log.push(`unsubscribed ${channel}`);
          };
        },
        async close() {
          driver.closed += 1;
        },
      };
      return driver;
    },
  };
}

export interface ScriptedDriver extends SyncDriver {
  readonly log: readonly string[];
  closed: number;
  onPublish: (channel: string, bytes: Uint8Array) => Promise<void>;
  onSubscribe: (channel: string) => Promise<void>;
  onUnsubscribe: (channel: string) => Promise<void>;
  say(connection: DriverConnection): void;
}
