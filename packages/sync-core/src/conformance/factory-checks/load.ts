import type { FactoryCheck } from "../check.ts";
import type { TransportProbe } from "../factory-context.ts";
import { eachInFlight } from "../in-flight.ts";

const DOCUMENTS = 300;

export const loadChecks: readonly FactoryCheck[] = [
  {
    subject: "factory",
    id: "load/documents",
    level: "SHOULD",
    title: `${DOCUMENTS} documents are open on two instances, each with its own messages both ways`,
    requires: {},
    async run({ open, document }) {
      const [left, right] = [await open(), await open()];
      const pairs = new Map<number, readonly [TransportProbe, TransportProbe]>();
      await eachInFlight(DOCUMENTS, async (i) => {
        const id = document(String(i));
        pairs.set(i, [await left.createTransport(id), await right.createTransport(id)]);
      });
      await eachInFlight(DOCUMENTS, async (i) => {
        const [a, b] = pairs.get(i) ?? [];
        await Promise.all([a?.send(`to the right ${i}`), b?.send(`to the left ${i}`)]);
      });
      for (const [i, [a, b]] of pairs) {
        await b.hears(`to the right ${i}`);
        await a.hears(`to the left ${i}`);
      }
      await eachInFlight(DOCUMENTS, async (i) => {
        const [a, b] = pairs.get(i) ?? [];
        await Promise.all([a?.close(), b?.close()]);
      });
    },
  },
];
