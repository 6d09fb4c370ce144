import { noticing } from "./broken-driver.ts";
import type { BrokenDriver } from "./broken-driver.ts";

export const recoveryMistakes: readonly BrokenDriver[] = [
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
        ...noticing(driver, (connection) => {
          if (connection.state === "down") interruptions += 1;
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
        ...noticing(driver, (connection) => {
          if (connection.state === "down") live = false;
          else if (!live) setTimeout(() => (live = true), 200).unref();
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
        ...noticing(driver, (connection) => {
          down = connection.state === "down";
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
        ...noticing(driver, (connection) => {
          if (connection.state === "down") interrupted = true;
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
        ...noticing(driver, (connection) => {
          down = connection.state === "down";
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
];
