import { smallestEncoding, textOf, updatesOf } from "../session/editing-session.ts";
import { generateErasing } from "../session/generate-session.ts";
import { joinDocument } from "./join.ts";
import { closeTypedDocuments, deliveryOf, openTypedDocuments } from "./typed-document.ts";
import { typeAllInFlight } from "./type-in-flight.ts";
import { atMost, scaled } from "./workload.ts";
import type { Measurement, Workload } from "./workload.ts";

/** An hour at five keystrokes a second. */
const HOUR = 18_000;
/** Several, so that a growth shows above the heap's own noise. */
const DOCUMENTS = 4;
const WINDOW = 64;
const LOOKS = [0.25, 0.5, 1];

export const typedAndErased: Workload = {
  name: "typed-and-erased",
  title: `an hour of typing and erasing (at 5 keystrokes a second) in each of ${DOCUMENTS} documents, replayed in bursts`,
  metrics: {
    download: { title: "joiner's download, × the smallest encoding", digits: 2, compared: true },
    heap: { title: "heap of an instance after garbage collection, MiB", digits: 2, compared: true },
    growth: {
      title: "heap per keystroke since the first quarter, bytes",
      digits: 1,
      compared: false,
    },
  },
  axis: { title: "keystrokes in each document", scale: "linear" },
  fresh: true,
  rounds: atMost(1),
  needsDocument: true,
  async run(deployment, { random, scale }) {
    const total = scaled(HOUR, scale, 400);
    const session = generateErasing(total, random);
    const { protocol, pair } = deployment;
    const documents = await openTypedDocuments(deployment, session, DOCUMENTS);
    const measurements: Measurement[] = [];

    async function heap(): Promise<number> {
      await Promise.all(pair.map((instance) => instance.collectGarbage()));
      const usages = await deployment.usages();
      return usages.reduce((sum, { heap, external }) => sum + heap + external, 0) / usages.length;
    }

    let first: { readonly keystrokes: number; readonly heap: number } | undefined;
    let typed = 0;
    try {
      for (const look of LOOKS) {
        const until = Math.round(total * look);
        await typeAllInFlight(documents, WINDOW, until - typed);
        typed = until;
        const used = await heap();
        first ??= { keystrokes: until, heap: used };
        const expected = textOf(updatesOf(session, until));
        const smallest = smallestEncoding(updatesOf(session, until));
        let times = 0;
        let missed = 0;
        let equal = true;
        for (const { id } of documents) {
          const join = await joinDocument(pair[1].url, protocol, id, session, until);
          times = Math.max(times, join.bytes / smallest);
          missed += until - join.count;
          equal &&= textOf(join.updates) === expected;
        }
        const delivery = deliveryOf(documents);
        const since = DOCUMENTS * (until - first.keystrokes);
        measurements.push({
          at: until,
          values: {
            download: times,
            heap: used / 2 ** 20,
            growth: since === 0 ? 0 : (used - first.heap) / since,
          },
          sent: delivery.sent,
          notDelivered: delivery.notDelivered + missed,
          equal: delivery.equal && equal,
        });
      }
    } finally {
      await closeTypedDocuments(documents);
    }
    return measurements;
  },
};
