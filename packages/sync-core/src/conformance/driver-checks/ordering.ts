import type { DriverCheck } from "../check.ts";
import { expectSameList, expectSameSet } from "../expectation.ts";

const BURST = 500;
const texts = Array.from({ length: BURST }, (_, i) => `message ${i}`);

/** Sizes that take different ways through sockets, buffers and batches. */
const SIZES = [1, 50_000, 10, 1000, 100_000, 1];

export const orderingChecks: readonly DriverCheck[] = [
  {
    subject: "driver",
    id: "ordering/burst",
    level: "MUST",
    title: "what one instance publishes without waiting arrives in the order published",
    requires: { ordering: "channel" },
    async run({ openUp, channel, fence }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      await Promise.all(texts.map((text) => a.publish(channel(), text)));
      for (const text of texts) await inbox.hears(text);
      await fence(a, inbox);
      // A message that comes again is no matter of order.
      expectSameList([...new Set(inbox.texts)], texts);
    },
  },
  {
    subject: "driver",
    id: "ordering/sizes",
    level: "MUST",
    title: "a small message does not overtake a large one",
    requires: { ordering: "channel" },
    async run({ openUp, channel, fence }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      const sent = Array.from({ length: 60 }, (_, i) => {
        const size = Math.min(SIZES[i % SIZES.length] ?? 1, a.driver.capabilities.maxPayload - 10);
        return `${i} `.padEnd(size, "x");
      });
      await Promise.all(sent.map((text) => a.publish(channel(), text)));
      for (const text of sent) await inbox.hears(text);
      await fence(a, inbox);
      expectSameList([...new Set(inbox.texts)], sent);
    },
  },
  {
    subject: "driver",
    id: "ordering/none",
    level: "MUST",
    title: "what one instance publishes without waiting arrives, in whatever order",
    requires: { ordering: "none" },
    async run({ openUp, channel, fence }) {
      const [a, b] = [await openUp(), await openUp()];
      const inbox = await b.subscribe(channel());
      await Promise.all(texts.map((text) => a.publish(channel(), text)));
      for (const text of texts) await inbox.hears(text);
      await fence(a, inbox);
      expectSameSet(inbox.texts, texts);
    },
  },
];
