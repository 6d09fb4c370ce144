import { delivering } from "./broken-driver.ts";
import type { BrokenDriver } from "./broken-driver.ts";

const decoder = new TextDecoder();

/** What all drivers of a process share, who should not. */
const takenByOne = new Set<string>();

export const deliveryMistakes: readonly BrokenDriver[] = [
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
    title: "counts subscribers that it does not have",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        await driver.publish(channel, bytes);
        return 1;
      },
    }),
    fails: ["delivery/receivers-counted"],
  },
];
