import { generateTyping } from "../session/generate-session.ts";
import { closeTypedDocuments, deliveryOf, openTypedDocuments } from "./typed-document.ts";
import { typeAllInFlight } from "./type-in-flight.ts";
import { atMost, scaled } from "./workload.ts";
import type { Measurement, Workload } from "./workload.ts";

const SIZES = [10_000, 100_000, 1_000_000];
const DOCUMENTS = 5;
const WARM_UP = 50;
const KEYSTROKES = 200;

export const documentSize: Workload = {
  name: "document-size",
  title: `${DOCUMENTS} documents typed, one keystroke on its way each, that hold a pasted text already`,
  metrics: { cpu: { title: "CPU of both instances per keystroke, µs", digits: 0, compared: true } },
  axis: {
    title: "bytes in the document",
    scale: "log",
    step: { by: 1_000_000, title: "further MB in the document" },
  },
  fresh: false,
  rounds: atMost(3),
  needsDocument: false,
  async run(deployment, { random, scale }) {
    const keystrokes = scaled(KEYSTROKES, scale, 20);
    const measurements: Measurement[] = [];
    for (const size of SIZES) {
      const session = generateTyping(WARM_UP + keystrokes, random, size);
      const documents = await openTypedDocuments(deployment, session, DOCUMENTS);
      try {
        // The paste is the first keystroke.
        await typeAllInFlight(documents, 1, 1 + WARM_UP);
        const before = await deployment.cpu();
        await typeAllInFlight(documents, 1, keystrokes);
        const used = (await deployment.cpu()) - before;
        measurements.push({
          at: size,
          values: { cpu: used / (DOCUMENTS * keystrokes) },
          ...deliveryOf(documents),
        });
      } finally {
        await closeTypedDocuments(documents);
      }
    }
    return measurements;
  },
};
