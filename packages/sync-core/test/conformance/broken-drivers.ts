import type { DriverCapabilities, SyncDriver } from "@teleportal/sync-core";
import type { Check } from "@teleportal/sync-core/conformance";
import { subscribesLate } from "./late-subscription.ts";
import type { ReferenceCapabilities } from "./reference-broker.ts";

/** A mistake that a driver may have, and all that the suite must say of it. */
export interface BrokenDriver {
  readonly title: string;
  /** What the broker behind it does, and the driver declares truthfully. */
  readonly broker?: ReferenceCapabilities;
  /** What it declares instead, if that is the mistake. */
  readonly declares?: Partial<DriverCapabilities>;
  readonly withoutFaults?: true;
  /** `process`: all drivers that the target has opened. */
  breaks(driver: SyncDriver, process: Set<SyncDriver>): Partial<SyncDriver>;
  readonly fails: readonly Check["id"][];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Changes what is handed to subscribers. */
function delivering(
  driver: SyncDriver,
  change: (deliver: (bytes: Uint8Array) => void, channel: string) => (bytes: Uint8Array) => void,
): Partial<SyncDriver> {
  return {
    subscribe: (channel, onBytes) => driver.subscribe(channel, change(onBytes, channel)),
  };
}

/** Changes the names of channels on their way to the broker. */
function onChannels(driver: SyncDriver, rename: (channel: string) => string): Partial<SyncDriver> {
  return {
    publish: (channel, bytes) => driver.publish(rename(channel), bytes),
    subscribe: (channel, onBytes) => driver.subscribe(rename(channel), onBytes),
  };
}

/** What all drivers of a process share, who should not. */
const handedOut = new Map<string, Uint8Array>();
const takenByOne = new Set<string>();
const leftRunning = new Set<ReturnType<typeof setInterval>>();

/** Ends what broken drivers have left running. */
export function cleanUpBrokenDrivers(): void {
  for (const timer of leftRunning) clearInterval(timer);
  leftRunning.clear();
}

export const brokenDrivers: readonly BrokenDriver[] = [
  {
    title: "echoes itself, although it says that it does not",
    declares: { echo: "never" },
    breaks: () => ({}),
    fails: ["delivery/receivers-counted", "echo/never", "recovery/dark"],
  },
  {
    title: "does not echo itself, although it says that it does",
    broker: { echo: "never" },
    declares: { echo: "always" },
    breaks: () => ({}),
    fails: ["delivery/receivers-counted", "echo/always"],
  },
  {
    title: "hands each message to one subscriber, as a queue does",
    breaks: (driver) =>
      delivering(driver, (deliver, channel) => (bytes) => {
        const key = `${channel} ${decoder.decode(bytes)}`;
        if (takenByOne.has(key)) return;
        takenByOne.add(key);
        deliver(bytes);
      }),
    fails: ["delivery/every-subscriber", "binary/bytes-owned", "lifecycle/unsubscribed-at-once"],
  },
  {
    title: "drops every hundredth message",
    breaks(driver) {
      let count = 0;
      return delivering(driver, (deliver) => (bytes) => {
        count += 1;
        if (count % 100 !== 0) deliver(bytes);
      });
    },
    fails: [
      "delivery/exactly-once",
      "ordering/burst",
      "binary/bytes-kept",
      "lifecycle/unsubscribed-at-once",
      "recovery/up-is-live",
      "load/channels",
      "load/burst",
    ],
  },
  {
    title: "drops every hundredth message, and promises each at least once",
    broker: { delivery: "at-least-once" },
    breaks(driver) {
      let count = 0;
      return delivering(driver, (deliver) => (bytes) => {
        count += 1;
        if (count % 100 !== 0) deliver(bytes);
      });
    },
    fails: [
      "delivery/at-least-once",
      "ordering/burst",
      "binary/bytes-kept",
      "load/channels",
      "load/burst",
    ],
  },
  {
    title: "delivers every hundredth message twice",
    breaks(driver) {
      let count = 0;
      return delivering(driver, (deliver) => (bytes) => {
        count += 1;
        deliver(bytes);
        if (count % 100 === 0) deliver(bytes.slice());
      });
    },
    fails: ["delivery/exactly-once"],
  },
  {
    title: "lets small messages overtake large ones",
    breaks: (driver) =>
      delivering(driver, (deliver) => (bytes) => {
        if (bytes.length < 20_000) deliver(bytes);
        else setImmediate(() => deliver(bytes));
      }),
    fails: ["ordering/sizes"],
  },
  {
    title: "delivers every tenth message late",
    breaks(driver) {
      let count = 0;
      return delivering(driver, (deliver) => (bytes) => {
        count += 1;
        if (count % 10 === 0) setImmediate(() => deliver(bytes));
        else deliver(bytes);
      });
    },
    fails: ["ordering/burst", "ordering/sizes"],
  },
  {
    title: "without order, loses what comes too fast",
    broker: { ordering: "none" },
    breaks(driver) {
      let inTurn = 0;
      return delivering(driver, (deliver) => (bytes) => {
        if (inTurn === 0) setImmediate(() => (inTurn = 0));
        inTurn += 1;
        if (inTurn < 100) deliver(bytes);
      });
    },
    fails: [
      "delivery/exactly-once",
      "ordering/none",
      "lifecycle/unsubscribed-at-once",
      "recovery/up-is-live",
      "load/channels",
      "load/burst",
    ],
  },
  {
    title: "carries bytes as UTF-8 text",
    breaks: (driver) =>
      delivering(driver, (deliver) => (bytes) => deliver(encoder.encode(decoder.decode(bytes)))),
    fails: ["binary/every-byte", "payload/at-the-limit", "payload/sizes"],
  },
  {
    title: "publishes the whole buffer of a view",
    breaks: (driver) => ({
      publish: (channel, bytes) => driver.publish(channel, new Uint8Array(bytes.buffer)),
    }),
    fails: ["binary/views"],
  },
  {
    title: "delivers views into one buffer that it uses again",
    breaks(driver) {
      const buffer = new Uint8Array(driver.capabilities.maxPayload + 1000);
      return delivering(driver, (deliver) => (bytes) => {
        buffer.set(bytes);
        deliver(buffer.subarray(0, bytes.length));
      });
    },
    fails: ["binary/bytes-kept"],
  },
  {
    title: "keeps the publisher's buffer until later",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        setImmediate(() => {
          driver.publish(channel, bytes).catch(() => {});
        });
        return undefined;
      },
    }),
    fails: [
      "binary/buffer-reused",
      "lifecycle/closed-refuses",
      "recovery/unanswered-publish",
      "recovery/refuses-while-down",
    ],
  },
  {
    title: "hands one buffer to all subscribers of the process",
    breaks(driver) {
      return delivering(driver, (deliver, channel) => (bytes) => {
        const key = `${channel} ${bytes.join()}`;
        const shared = handedOut.get(key) ?? bytes;
        if (bytes.length < 200) handedOut.set(key, shared);
        deliver(shared);
      });
    },
    fails: ["binary/bytes-owned"],
  },
  {
    title: "counts subscribers that it does not have",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        await driver.publish(channel, bytes);
        return 1;
      },
    }),
    fails: ["delivery/receivers-counted"],
  },
  {
    title: "takes dots and slashes for the same",
    breaks: (driver) => onChannels(driver, (channel) => channel.replaceAll("/", ".")),
    fails: ["isolation/channel-separators", "isolation/channel-control-names"],
  },
  {
    title: "ignores case",
    breaks: (driver) => onChannels(driver, (channel) => channel.toLowerCase()),
    fails: ["isolation/channel-case"],
  },
  {
    title: "normalises Unicode",
    breaks: (driver) => onChannels(driver, (channel) => channel.normalize("NFKC")),
    fails: ["isolation/channel-spaces", "isolation/channel-unicode"],
  },
  {
    title: "trims names",
    breaks: (driver) => onChannels(driver, (channel) => channel.trim()),
    fails: ["isolation/channel-spaces"],
  },
  {
    title: "decodes names that look escaped",
    breaks: (driver) => onChannels(driver, (channel) => channel.replaceAll("%20", " ")),
    fails: ["isolation/channel-escapes"],
  },
  {
    title: "cuts names after 255 characters",
    breaks: (driver) => onChannels(driver, (channel) => channel.slice(0, 255)),
    fails: ["isolation/channel-long-names"],
  },
  {
    title: "ends names at NUL, as C does",
    breaks: (driver) => onChannels(driver, (channel) => channel.split("\0", 1)[0] ?? ""),
    fails: ["isolation/channel-nul"],
  },
  {
    title: "keeps its subscriptions in a plain object",
    breaks(driver) {
      const handlers: Record<string, unknown> = {};
      return {
        subscribe(channel, onBytes) {
          if (handlers[channel] !== undefined) return Promise.resolve(async () => {});
          return driver.subscribe(channel, onBytes);
        },
      };
    },
    fails: ["isolation/channel-control-names"],
  },
  {
    title: "takes names for patterns",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        const receivers = await driver.publish(channel, bytes);
        // What a pattern subscription of another instance would have matched.
        if (channel.endsWith(".x")) await driver.publish(channel.replace(/\.x$/, ".*"), bytes);
        return receivers;
      },
    }),
    fails: ["isolation/channel-wildcards"],
  },
  {
    title: "delivers a channel's messages to the names that it begins",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        const receivers = await driver.publish(channel, bytes);
        if (channel.endsWith("1")) await driver.publish(channel.slice(0, -1), bytes);
        return receivers;
      },
    }),
    fails: ["isolation/channel-prefixes"],
  },
  {
    title: "states no limit",
    declares: { maxPayload: Number.POSITIVE_INFINITY },
    breaks: () => ({}),
    fails: ["payload/limit-stated"],
  },
  {
    title: "truncates what is larger than it says it can carry",
    declares: { maxPayload: 64 * 1024 },
    breaks: (driver) => ({
      publish: (channel, bytes) => driver.publish(channel, bytes.subarray(0, 60_000)),
    }),
    fails: ["ordering/sizes", "payload/at-the-limit", "payload/sizes"],
  },
  {
    title: "resolves `subscribe` before the subscription is live, if the name ends in 49",
    breaks: (driver) => ({ subscribe: subscribesLate(driver, "49") }),
    fails: ["lifecycle/live-when-subscribed", "recovery/up-is-live", "load/channels"],
  },
  {
    title: "does nothing, and says that it has subscribed, if the name ends in 49",
    breaks: (driver) => ({
      subscribe: async (channel, onBytes) =>
        channel.endsWith("49") ? async () => {} : driver.subscribe(channel, onBytes),
    }),
    fails: ["lifecycle/live-when-subscribed", "recovery/up-is-live", "load/channels"],
  },
  {
    title: "forgets to unsubscribe",
    breaks: (driver) => ({
      async subscribe(channel, onBytes) {
        await driver.subscribe(channel, onBytes);
        return async () => {};
      },
    }),
    fails: [
      "lifecycle/unsubscribed-is-silent",
      "lifecycle/unsubscribed-at-once",
      "recovery/unsubscribed-meanwhile",
      "memory/given-up-channels",
    ],
  },
  {
    title: "adds a listener with each subscription and never removes one",
    breaks(driver) {
      const listeners = new Map<string, ((bytes: Uint8Array) => void)[]>();
      return {
        async subscribe(channel, onBytes) {
          const known = listeners.get(channel) ?? [];
          listeners.set(channel, [...known, onBytes]);
          const unsubscribe = await driver.subscribe(channel, (bytes) => {
            for (const listener of listeners.get(channel) ?? []) listener(bytes);
          });
          return unsubscribe;
        },
      };
    },
    fails: ["lifecycle/resubscribed", "memory/given-up-channels"],
  },
  {
    title: "one unsubscribe silences all channels of the connection",
    breaks(driver) {
      let silenced = false;
      return {
        async subscribe(channel, onBytes) {
          silenced = false;
          const unsubscribe = await driver.subscribe(channel, (bytes) => {
            if (!silenced) onBytes(bytes);
          });
          return async () => {
            silenced = true;
            await unsubscribe();
          };
        },
      };
    },
    fails: [
      "lifecycle/unsubscribed-is-silent",
      "lifecycle/unsubscribe-spares-others",
      "recovery/unsubscribed-meanwhile",
    ],
  },
  {
    title: "cannot subscribe to a channel again",
    breaks(driver) {
      const seen = new Set<string>();
      return {
        async subscribe(channel, onBytes) {
          if (seen.has(channel)) return async () => {};
          seen.add(channel);
          return driver.subscribe(channel, onBytes);
        },
      };
    },
    fails: ["lifecycle/resubscribed"],
  },
  {
    title: "never settles what is on its way when it is closed",
    breaks(driver) {
      let closed = false;
      return {
        async publish(channel, bytes) {
          const receivers = await driver.publish(channel, bytes);
          await new Promise((resolve) => setImmediate(resolve));
          return closed ? new Promise<undefined>(() => {}) : receivers;
        },
        close() {
          closed = true;
          return driver.close();
        },
      };
    },
    fails: ["lifecycle/close-settles"],
  },
  {
    title: "delivers after the close",
    breaks(driver) {
      return { close: async () => void driver };
    },
    fails: ["lifecycle/closed-is-silent", "lifecycle/closed-refuses"],
  },
  {
    title: "accepts publishes and subscriptions after the close, and does nothing",
    breaks(driver) {
      let closed = false;
      return {
        publish: async (channel, bytes) => (closed ? 0 : driver.publish(channel, bytes)),
        subscribe: async (channel, onBytes) =>
          closed ? async () => {} : driver.subscribe(channel, onBytes),
        close() {
          closed = true;
          return driver.close();
        },
      };
    },
    fails: ["lifecycle/closed-refuses"],
  },
  {
    title: "closes the connection that all drivers of the process share",
    breaks(driver, process) {
      process.add(driver);
      return {
        async close() {
          for (const one of process) await one.close();
          process.clear();
        },
      };
    },
    fails: ["lifecycle/closed-is-silent", "lifecycle/close-spares-others"],
  },
  {
    title: "leaves its keepalive timer running",
    breaks(driver) {
      leftRunning.add(setInterval(() => driver.name, 1000));
      return {};
    },
    fails: ["lifecycle/no-handle", "recovery/closed-while-down", "recovery/closed-while-dark"],
  },
  {
    title: "says `down` before it has tried to connect",
    breaks: (driver) => ({
      watch(listener) {
        listener({ state: "down", cause: "not connected yet" });
        driver.watch(listener);
      },
    }),
    fails: ["lifecycle/first-state"],
  },
  {
    title: "says `up` before it has tried to connect",
    breaks: (driver) => ({
      watch(listener) {
        listener({ state: "up" });
        driver.watch(listener);
      },
    }),
    fails: ["recovery/first-state-without-broker"],
  },
  {
    title: "resolves a publish without waiting for the broker",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        const answered = driver.publish(channel, bytes.slice());
        answered.catch(() => {});
        // What cannot be sent at all rejects; the answer is not waited for.
        await Promise.race([answered, new Promise((resolve) => setImmediate(resolve))]);
        return undefined;
      },
    }),
    fails: ["recovery/unanswered-publish"],
  },
  {
    title: "delivers on until the broker has answered an unsubscribe",
    breaks: (driver) => ({
      async subscribe(channel, onBytes) {
        const unsubscribe = await driver.subscribe(channel, onBytes);
        return async () => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          await unsubscribe();
        };
      },
    }),
    fails: ["lifecycle/unsubscribed-at-once"],
  },
  {
    title: "says nothing of a lost link",
    breaks: (driver) => ({
      watch: (listener) =>
        driver.watch((connection) => {
          if (connection.state === "up") listener(connection);
        }),
    }),
    fails: [
      "recovery/first-state-without-broker",
      "recovery/cut-is-told",
      "recovery/up-is-live",
      "recovery/every-time",
      "recovery/refuses-while-down",
      "recovery/unsubscribed-meanwhile",
      "recovery/subscribed-later",
      "recovery/dark",
      "recovery/broker-restarted",
      "recovery/closed-while-down",
    ],
  },
  {
    title: "says `down` without a cause",
    breaks: (driver) => ({
      watch: (listener) =>
        driver.watch(({ state }) =>
          listener(state === "up" ? { state } : { state, cause: undefined }),
        ),
    }),
    fails: ["recovery/cut-is-told"],
  },
  {
    title: "stays down",
    breaks: (driver) => ({
      watch(listener) {
        let down = false;
        driver.watch((connection) => {
          if (down) return;
          down = connection.state === "down";
          listener(connection);
        });
      },
    }),
    fails: [
      "recovery/first-state-without-broker",
      "recovery/cut-is-told",
      "recovery/up-is-live",
      "recovery/every-time",
      "recovery/refuses-while-down",
      "recovery/unsubscribed-meanwhile",
      "recovery/subscribed-later",
      "recovery/dark",
      "recovery/broker-restarted",
    ],
  },
  {
    title: "recovers once",
    breaks: (driver) => ({
      watch(listener) {
        let downs = 0;
        driver.watch((connection) => {
          if (connection.state === "down") downs += 1;
          if (downs < 2 || connection.state === "down") listener(connection);
        });
      },
    }),
    fails: ["recovery/every-time"],
  },
  {
    title: "does not subscribe again after an interruption",
    breaks(driver) {
      let interruptions = 0;
      return {
        watch: (listener) =>
          driver.watch((connection) => {
            if (connection.state === "down") interruptions += 1;
            listener(connection);
          }),
        subscribe(channel, onBytes) {
          const before = interruptions;
          return driver.subscribe(channel, (bytes) => {
            if (interruptions === before) onBytes(bytes);
          });
        },
      };
    },
    fails: [
      "recovery/up-is-live",
      "recovery/every-time",
      "recovery/unsubscribed-meanwhile",
      "recovery/dark",
      "recovery/broker-restarted",
    ],
  },
  {
    title: "says `up` before the subscriptions are live",
    breaks(driver) {
      let live = true;
      return {
        watch: (listener) =>
          driver.watch((connection) => {
            if (connection.state === "down") live = false;
            else if (!live) setTimeout(() => (live = true), 200).unref();
            listener(connection);
          }),
        subscribe: (channel, onBytes) =>
          driver.subscribe(channel, (bytes) => {
            if (live) onBytes(bytes);
          }),
      };
    },
    fails: [
      "recovery/first-state-without-broker",
      "recovery/up-is-live",
      "recovery/every-time",
      "recovery/unsubscribed-meanwhile",
      "recovery/subscribed-later",
      "recovery/dark",
      "recovery/broker-restarted",
    ],
  },
  {
    title: "subscribes again to what was given up",
    breaks(driver) {
      let down = false;
      return {
        watch: (listener) =>
          driver.watch((connection) => {
            down = connection.state === "down";
            listener(connection);
          }),
        async subscribe(channel, onBytes) {
          const unsubscribe = await driver.subscribe(channel, onBytes);
          return async () => {
            // While it is away there is nobody to tell, and so it stays on the list that is restored.
            if (!down) await unsubscribe();
          };
        },
      };
    },
    fails: ["recovery/unsubscribed-meanwhile"],
  },
  {
    title: "cannot subscribe to anything new after an interruption",
    breaks(driver) {
      let interrupted = false;
      return {
        watch: (listener) =>
          driver.watch((connection) => {
            if (connection.state === "down") interrupted = true;
            listener(connection);
          }),
        subscribe: async (channel, onBytes) =>
          interrupted ? async () => {} : driver.subscribe(channel, onBytes),
      };
    },
    fails: ["recovery/first-state-without-broker", "recovery/subscribed-later"],
  },
  {
    title: "queues publishes while the link is down",
    breaks(driver) {
      const queue: (() => void)[] = [];
      return {
        watch: (listener) =>
          driver.watch((connection) => {
            listener(connection);
            if (connection.state === "up") for (const send of queue.splice(0)) send();
          }),
        async publish(channel, bytes) {
          try {
            return await driver.publish(channel, bytes);
          } catch (cause) {
            if (!(cause instanceof Error) || !cause.message.includes("no link")) throw cause;
            const copy = bytes.slice();
            queue.push(() => void driver.publish(channel, copy).catch(() => {}));
            return undefined;
          }
        },
      };
    },
    fails: ["recovery/refuses-while-down"],
  },
  {
    title: "does nothing when the link is down, and says that it has",
    breaks: (driver) => ({
      publish: (channel, bytes) =>
        driver.publish(channel, bytes).catch((cause: Error) => {
          if (cause.message.includes("no link")) return undefined;
          throw cause;
        }),
    }),
    fails: ["recovery/refuses-while-down"],
  },
  {
    title: "has echo, and nothing that replaces a dark link",
    breaks: () => ({ reconnect: undefined as never }),
    fails: ["recovery/dark"],
  },
  {
    title: "has no echo, and does not look whether its link is alive",
    broker: { echo: "never" },
    breaks: (driver) => ({
      watch: (listener) =>
        driver.watch((connection) => {
          const found = connection.state === "down" && String(connection.cause).includes("ping");
          if (!found) listener(connection);
        }),
    }),
    fails: ["recovery/dark"],
  },
  {
    title: "does not come back when the broker was restarted",
    breaks: (driver) => ({
      watch(listener) {
        let ended = false;
        driver.watch((connection) => {
          ended ||= connection.state === "down" && String(connection.cause).includes("broker");
          if (!ended || connection.state === "down") listener(connection);
        });
      },
    }),
    fails: ["recovery/broker-restarted"],
  },
  {
    title: "waits for the broker before it closes",
    breaks(driver) {
      let down = false;
      return {
        watch: (listener) =>
          driver.watch((connection) => {
            down = connection.state === "down";
            listener(connection);
          }),
        async close() {
          if (down) await new Promise(() => {});
          else await driver.publish("goodbye", Uint8Array.of(0));
          await driver.close();
        },
      };
    },
    fails: ["recovery/closed-while-down", "recovery/closed-while-dark"],
  },
  {
    title: "says that it recovers, and brings no way to see it",
    withoutFaults: true,
    breaks: () => ({}),
    fails: [
      "recovery/first-state-without-broker",
      "recovery/unanswered-publish",
      "recovery/cut-is-told",
      "recovery/up-is-live",
      "recovery/every-time",
      "recovery/refuses-while-down",
      "recovery/unsubscribed-meanwhile",
      "recovery/subscribed-later",
      "recovery/dark",
      "recovery/broker-restarted",
      "recovery/closed-while-down",
      "recovery/closed-while-dark",
    ],
  },
  {
    title: "has a link, and says that there is none to lose",
    declares: { recovery: "none" },
    breaks: (driver) => ({
      watch: (listener) => {
        listener({ state: "down", cause: "not connected yet" });
        driver.watch(listener);
      },
    }),
    fails: ["lifecycle/first-state", "recovery/never-down"],
  },
  {
    title: "holds a thousand channels, and no more",
    breaks(driver) {
      let held = 0;
      return {
        async subscribe(channel, onBytes) {
          held += 1;
          if (held > 1000) return async () => {};
          const unsubscribe = await driver.subscribe(channel, onBytes);
          return async () => {
            held -= 1;
            await unsubscribe();
          };
        },
      };
    },
    fails: ["load/channels"],
  },
  {
    title: "keeps something of every channel that it ever had",
    breaks(driver) {
      const statistics = new Map<string, { name: string; since: number; buffer: number[] }>();
      return {
        subscribe(channel, onBytes) {
          const buffer = Array.from({ length: 100 }, Math.random);
          statistics.set(channel, { name: channel, since: Date.now(), buffer });
          return driver.subscribe(channel, onBytes);
        },
      };
    },
    fails: ["memory/given-up-channels"],
  },
];
