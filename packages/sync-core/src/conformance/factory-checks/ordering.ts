import type { FactoryCheck } from "../check.ts";
import { expectSameList } from "../expectation.ts";

const MANY = 500;

/** Among small messages, some that may go in parts. */
function sized(i: number): string {
  return `${i} `.padEnd(i % 50 === 7 ? 300_000 : 10 + (i % 100), "x");
}

export const orderingChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "ordering/messages",
    level: "MUST",
    title: "messages of one writer are read in the order written, large ones among them",
    requires: { ordering: "channel" },
    async run({ open, document, fence }) {
      const a = await (await open()).createTransport(document());
      const b = await (await open()).createTransport(document());
      const texts = Array.from({ length: MANY }, (_, i) => sized(i));
      // Without waiting, as a client types; but for a turn now and then, as a server reads.
      const writes: Promise<void>[] = [];
      for (const [i, text] of texts.entries()) {
        writes.push(a.send(text));
        if (i % 25 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(writes);
      for (const text of texts) await b.hears(text);
      await fence(a, b);
      expectSameList([...new Set(b.texts)], texts);
    },
  },
];
