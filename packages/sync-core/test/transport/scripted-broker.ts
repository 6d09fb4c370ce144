import type {
  DriverCapabilities,
  DriverConnection,
  SyncDriver,
} from "../../src/contract/driver.ts";

/**
 * A broker in memory whose every answer a test decides: what is rare on a real one, on demand. Synchronous, so that
 * a test sees what happens in which turn. The channel on which instances say that they are alive is kept out of the
 * logs and hooks: it has a hook of its own.
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
          recovery: "automatic",
          maxPayload: 1024 * 1024,
          ...capabilities,
        },
        onPublish: async () => {},
        onHeartbeat: async () => {},
        reconnects: 0,
        reconnect() {
          driver.reconnects += 1;
        },
        onSubscribe: async () => {},
        onUnsubscribe: async () => {},
        say: (connection) => listener(connection),
        watch(onChange) {
          listener = onChange;
        },
        async publish(channel, bytes) {
          const copy = new Uint8Array(bytes);
          if (isInstancesChannel(channel)) {
            await driver.onHeartbeat(copy);
          } else {
            await driver.onPublish(channel, bytes);
            published.push({ channel, bytes: copy });
          }
          const listeners = [...(subscribers.get(channel) ?? [])];
          for (const onBytes of listeners) onBytes(copy.slice());
          return listeners.length;
        },
        async subscribe(channel, onBytes) {
          const own = subscribers.get(channel) ?? new Set();
          subscribers.set(channel, own);
          if (isInstancesChannel(channel)) {
            own.add(onBytes);
            return async () => void own.delete(onBytes);
          }
          log.push(`subscribe ${channel}`);
          await driver.onSubscribe(channel);
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

function isInstancesChannel(channel: string): boolean {
  return channel.includes("\0");
}

export interface ScriptedDriver extends SyncDriver {
  readonly log: readonly string[];
  closed: number;
  reconnects: number;
  onHeartbeat: (bytes: Uint8Array) => Promise<void>;
  onPublish: (channel: string, bytes: Uint8Array) => Promise<void>;
  onSubscribe: (channel: string) => Promise<void>;
  onUnsubscribe: (channel: string) => Promise<void>;
  say(connection: DriverConnection): void;
}
