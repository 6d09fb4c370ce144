import type { Deployment } from "../deployment.ts";
import type { Traffic } from "../servers/instance-control.ts";
import { closeTypedDocuments, deliveryOf, openTypedDocuments } from "./typed-document.ts";
import type { TypedDocument } from "./typed-document.ts";
import { typeAllInFlight } from "./type-in-flight.ts";
import { atMost, scaled } from "./workload.ts";
import type { Workload } from "./workload.ts";

const DOCUMENTS = 4;
const KEYSTROKES = 300;
const BURSTS = 20;
const BURST = 32;

/** The bytes of the frames that the clients have sent. */
function framedBytes({ protocol }: Deployment, documents: readonly TypedDocument[]): number {
  return documents.reduce(
    (sum, { id, sent, session }) =>
      session.keystrokes
        .slice(0, sent)
        .reduce((sum, { update }) => sum + protocol.update(id, update).length, sum),
    0,
  );
}

export const wire: Workload = {
  name: "wire",
  title: `what goes to the broker for a keystroke, and for ${BURST} keystrokes sent at once`,
  metrics: {
    messages: {
      title: "broker messages per keystroke, heartbeats included",
      digits: 2,
      compared: true,
    },
    bytes: { title: "bytes to the broker per keystroke", digits: 0, compared: false },
    overhead: { title: "of them above the client's frame", digits: 1, compared: true },
    burst: { title: `broker messages per ${BURST} keystrokes at once`, digits: 2, compared: true },
  },
  fresh: false,
  rounds: atMost(1),
  needsDocument: false,
  async run(deployment, { session, scale }) {
    const listener = await deployment.broker.listen();
    const heard = async (): Promise<Traffic> => {
      const traffic = await listener.heard();
      if (traffic !== undefined) return traffic;
      const own = (await deployment.usages()).map(({ published }) => published);
      return {
        messages: own.reduce((sum, published) => sum + (published?.messages ?? 0), 0),
        bytes: own.reduce((sum, published) => sum + (published?.bytes ?? 0), 0),
      };
    };
    const documents = await openTypedDocuments(deployment, session, DOCUMENTS);
    try {
      await typeAllInFlight(documents, 1, 10);
      const keystrokes = scaled(KEYSTROKES, scale, 50);
      const framedBefore = framedBytes(deployment, documents);
      const before = await heard();
      await typeAllInFlight(documents, 1, keystrokes);
      const after = await heard();
      const framed = framedBytes(deployment, documents) - framedBefore;
      const measured = DOCUMENTS * keystrokes;
      for (let i = 0; i < BURSTS; i++) await typeAllInFlight(documents, BURST, BURST);
      const bytes = after.bytes - before.bytes;
      return [
        {
          values: {
            messages: (after.messages - before.messages) / measured,
            bytes: bytes / measured,
            overhead: (bytes - framed) / measured,
            burst: ((await heard()).messages - after.messages) / (BURSTS * DOCUMENTS),
          },
          ...deliveryOf(documents),
        },
      ];
    } finally {
      listener.stop();
      await closeTypedDocuments(documents);
    }
  },
};
