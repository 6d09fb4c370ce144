import { subscribesLate } from "../late-subscription.ts";
import { leaveRunning } from "../left-running.ts";
import type { BrokenDriver } from "./broken-driver.ts";

export const lifecycleMistakes: readonly BrokenDriver[] = [
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
      "lifecycle/unsubscribed-at-once",
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
      leaveRunning(() => driver.name);
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
];
