import { concurrently } from "../concurrently.ts";
import { closeTypedDocuments, deliveryOf, openTypedDocument } from "./typed-document.ts";
import { typeAllInFlight } from "./type-in-flight.ts";
import { atMost, scaled } from "./workload.ts";
import type { Measurement, Workload } from "./workload.ts";

const INSTANCES = [2, 5, 10, 20];
const DOCUMENTS = 8;
const WARM_UP = 150;
const KEYSTROKES = 100;

export const instances: Workload = {
  name: "instances",
  title: `${DOCUMENTS} documents, each open on every instance, one keystroke on its way per document`,
  metrics: {
    messages: {
      title: "broker messages per keystroke, heartbeats included",
      digits: 2,
      compared: true,
    },
    cpu: { title: "CPU of all instances per keystroke, µs", digits: 0, compared: true },
  },
  axis: { title: "instances", scale: "linear", step: { by: 1, title: "further instance" } },
  fresh: true,
  rounds: atMost(2),
  needsDocument: false,
  async run(deployment, { session, scale }) {
    const { protocol, document } = deployment;
    const keystrokes = scaled(KEYSTROKES, scale, 10);
    const measurements: Measurement[] = [];
    for (const count of INSTANCES) {
      await deployment.grow(count);
      const urls = deployment.instances.map(({ url }) => url);
      const documents = await concurrently(
        Array.from({ length: DOCUMENTS }, (_, i) => i),
        DOCUMENTS,
        (i) => {
          const typist = urls[i % count] ?? "";
          const others = urls.filter((url) => url !== typist);
          return openTypedDocument(protocol, document(), session, typist, others);
        },
      );
      try {
        await typeAllInFlight(documents, 1, WARM_UP);
        const published = await deployment.published();
        const cpu = await deployment.cpu();
        await typeAllInFlight(documents, 1, keystrokes);
        const used = (await deployment.cpu()) - cpu;
        const messages = (await deployment.published()) - published;
        const measured = DOCUMENTS * keystrokes;
        measurements.push({
          at: count,
          values: { messages: messages / measured, cpu: used / measured },
          ...deliveryOf(documents),
        });
      } finally {
        await closeTypedDocuments(documents);
      }
    }
    return measurements;
  },
};
