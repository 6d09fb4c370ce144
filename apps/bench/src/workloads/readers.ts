import { closeTypedDocuments, deliveryOf, openTypedDocument } from "./typed-document.ts";
import { typeAllInFlight } from "./type-in-flight.ts";
import { atMost, scaled } from "./workload.ts";
import type { Measurement, Workload } from "./workload.ts";

const WARM_UP = 20;
const READERS = [10, 50, 200, 500];

export const readers: Workload = {
  name: "readers",
  title:
    "one document, typed one keystroke at a time, and many readers of it on each of two instances",
  metrics: { cpu: { title: "CPU of both instances per keystroke, µs", digits: 0, compared: true } },
  axis: {
    title: "readers on each instance",
    scale: "linear",
    step: { by: 1, title: "further reader on each instance" },
  },
  fresh: false,
  rounds: atMost(2),
  needsDocument: false,
  async run({ protocol, pair: [first, second], document, cpu }, { session, scale }) {
    const measurements: Measurement[] = [];
    for (const count of READERS) {
      // The fewer read, the less one keystroke costs, and the more of them it takes to tell.
      const keystrokes = scaled(Math.max(80, 20_000 / count), scale, 20);
      const urls = [first.url, second.url].flatMap((url) => Array<string>(count).fill(url));
      const typed = await openTypedDocument(protocol, document(), session, first.url, urls);
      try {
        await typeAllInFlight([typed], 1, WARM_UP);
        const before = await cpu();
        await typeAllInFlight([typed], 1, keystrokes);
        const used = (await cpu()) - before;
        measurements.push({
          at: count,
          values: { cpu: used / keystrokes },
          ...deliveryOf([typed]),
        });
      } finally {
        await closeTypedDocuments([typed]);
      }
    }
    return measurements;
  },
};
