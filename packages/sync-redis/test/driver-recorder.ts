import type { SyncDriver, Unsubscribe } from "@teleportal/sync-core";
import { openDriver } from "../src/open-driver.ts";

type Opened = Awaited<ReturnType<typeof openDriver>>;

/** A driver, what it has said and delivered, and waiting for either. */
export interface RecordedDriver {
  readonly driver: SyncDriver;
  /** The states so far. */
  readonly states: readonly string[];
  /** What the last `down` named. */
  readonly cause: unknown;
  readonly received: readonly { readonly channel: string; readonly text: string }[];
  subscribe(channel: string): Promise<Unsubscribe>;
  publish(channel: string, text: string): Promise<number | undefined>;
  /** Resolves when the driver has said `state` after its first `after` states. */
  said(state: "up" | "down", after?: number): Promise<void>;
  /** Resolves when that text has come on that channel. */
  heard(channel: string, text: string): Promise<void>;
  texts(channel: string): string[];
}

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

export async function recordDriver(
  options: Parameters<typeof openDriver>[0],
): Promise<RecordedDriver> {
  const driver: Opened = await openDriver(options);
  const states: string[] = [];
  const received: { channel: string; text: string }[] = [];
  const waiting = new Set<() => void>();
  let cause: unknown;

  function until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      function look(): void {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      }
      waiting.add(look);
      look();
    });
  }

  function changed(): void {
    for (const look of waiting) look();
  }

  driver.watch((connection) => {
    states.push(connection.state);
    if (connection.state === "down") cause = connection.cause;
    changed();
  });
  await until(() => states.length > 0);

  return {
    driver,
    states,
    get cause() {
      return cause;
    },
    received,
    subscribe: (channel) =>
      driver.subscribe(channel, (bytes) => {
        received.push({ channel, text: utf8.decoder.decode(bytes) });
        changed();
      }),
    publish: (channel, text) => driver.publish(channel, utf8.encoder.encode(text)),
    said: (state, after = 0) => until(() => states.slice(after).includes(state)),
    heard: (channel, text) =>
      until(() => received.some((one) => one.channel === channel && one.text === text)),
    texts: (channel) => received.filter((one) => one.channel === channel).map(({ text }) => text),
  };
}
