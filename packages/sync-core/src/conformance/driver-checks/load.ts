import type { DriverCheck } from "../check.ts";
import type { Inbox } from "../driver-context.ts";
import { eachInFlight } from "../in-flight.ts";

const CHANNELS = 2000;

const BURST_CHANNELS = 20;
const BURST_MESSAGES = 300;

export const loadChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "load/channels",
    level: "SHOULD",
    title: `${CHANNELS} channels are held by one instance, each with its own messages`,
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      const inboxes = new Map<number, Inbox>();
      await eachInFlight(CHANNELS, async (i) =>
        inboxes.set(i, await b.subscribe(channel(String(i)))),
      );
      await eachInFlight(CHANNELS, (i) => a.publish(channel(String(i)), `for ${i}`));
      for (const [i, inbox] of inboxes) await inbox.hears(`for ${i}`);
      await eachInFlight(CHANNELS, async (i) => inboxes.get(i)?.unsubscribe());
    },
  },
  {
    subject: "driver",
    id: "load/burst",
    level: "SHOULD",
    title: `a burst of ${BURST_CHANNELS * BURST_MESSAGES} messages over ${BURST_CHANNELS} channels arrives whole`,
    requires: {},
    async run({ openUp, channel }) {
      const [a, b] = [await openUp(), await openUp()];
      const inboxes = await Promise.all(
        Array.from({ length: BURST_CHANNELS }, (_, i) => b.subscribe(channel(String(i)))),
      );
      await eachInFlight(BURST_CHANNELS * BURST_MESSAGES, (i) =>
        a.publish(channel(String(i % BURST_CHANNELS)), `message ${i}`),
      );
      for (let i = 0; i < BURST_CHANNELS * BURST_MESSAGES; i++) {
        await inboxes[i % BURST_CHANNELS]?.hears(`message ${i}`);
      }
    },
  },
];
