import type { Deployment } from "../deployment.ts";
import { closeTypedDocuments, deliveryOf, openTypedDocuments } from "./typed-document.ts";
import { typeAllInFlight } from "./type-in-flight.ts";
import { scaled } from "./workload.ts";
import type { Workload } from "./workload.ts";

/** A round is done in so many, the contenders by turns. */
const PARTS = 3;

/** CPU of all instances per keystroke, as many documents typed at once as the connection lets through. */
export function cpuWorkload(options: {
  readonly name: string;
  readonly title: string;
  readonly documents: number;
  readonly window: number;
  readonly keystrokes: number;
}): Workload {
  const { name, title, window } = options;
  return {
    name,
    title,
    metrics: {
      cpu: { title: "CPU of both instances per keystroke, µs", digits: 0, compared: true },
      rate: { title: "keystrokes a second", digits: 0, compared: false },
    },
    fresh: false,
    rounds: (asked) => PARTS * asked,
    needsDocument: false,
    async run(deployment: Deployment, { session, scale }) {
      const each = scaled(options.keystrokes, scale, 10);
      const documents = await openTypedDocuments(deployment, session, options.documents);
      try {
        await typeAllInFlight(documents, window, Math.ceil(options.keystrokes / 8));
        const cpu = await deployment.cpu();
        const startedAt = performance.now();
        await typeAllInFlight(documents, window, each);
        const took = performance.now() - startedAt;
        const used = (await deployment.cpu()) - cpu;
        const measured = documents.length * each;
        return [
          {
            values: { cpu: used / measured, rate: (measured / took) * 1000 },
            ...deliveryOf(documents),
          },
        ];
      } finally {
        await closeTypedDocuments(documents);
      }
    },
  };
}

export const oneByOne = cpuWorkload({
  name: "one-by-one",
  title: "one keystroke on its way per document, 50 documents",
  documents: 50,
  window: 1,
  keystrokes: 300,
});

export const bursts = cpuWorkload({
  name: "bursts",
  title: "32 keystrokes on their way per document, 20 documents",
  documents: 20,
  window: 32,
  keystrokes: 400,
});
