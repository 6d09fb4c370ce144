import { setTimeout as wait } from "node:timers/promises";
import { quantile } from "../statistics.ts";
import { closeTypedDocuments, deliveryOf, openTypedDocuments, sendNext } from "./typed-document.ts";
import type { TypedDocument } from "./typed-document.ts";
import { scaled } from "./workload.ts";
import type { CurvePoint, Workload } from "./workload.ts";

const DOCUMENTS = 100;
/** Milliseconds between two keystrokes of a document: ten a second. */
const INTERVAL = 100;
/** Keystrokes of each document that are not measured, and that are. */
const WARM_UP = 10;
const MEASURED = 80;
/** For each that is asked for: what disturbs the machine is in some of them only. */
const ROUNDS = 2;
/** How long what is still on its way is waited for, in milliseconds. */
const PATIENCE = 10_000;

const PERCENTILES = [
  ...Array.from({ length: 99 }, (_, i) => i + 1),
  99.2,
  99.4,
  99.6,
  99.8,
  99.9,
  99.95,
  100,
];

/** Sends at fixed times, however long anything takes; returns by how much it was late itself, in milliseconds. */
async function typeOnSchedule(
  documents: readonly TypedDocument[],
  keystrokes: number,
  onSend: (document: number, keystroke: number) => void,
): Promise<number[]> {
  const late: number[] = [];
  const startedAt = performance.now();
  for (let keystroke = 0; keystroke < keystrokes; keystroke++) {
    for (const [document, typed] of documents.entries()) {
      const due = startedAt + INTERVAL * (keystroke + document / documents.length);
      while (performance.now() < due) await wait(due - performance.now());
      late.push(performance.now() - due);
      onSend(document, keystroke);
      sendNext(typed);
    }
  }
  return late;
}

/** Now, rather than while a keystroke is on its way, when it would look like latency. */
function collectOwnGarbage(): void {
  if (globalThis.gc === undefined) {
    throw new Error("[bench] its garbage cannot be collected: start it by npm run bench");
  }
  globalThis.gc();
}

async function allArrived(documents: readonly TypedDocument[]): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    // Reading all of it takes long: what was typed last arrives before.
    await wait(100);
    for (const { readers } of documents) for (const { client } of readers) client.drain();
    if (documents.every(({ sent, arrived }) => arrived >= sent)) return;
    if (performance.now() > deadline) return;
  }
}

export const latency: Workload = {
  name: "latency",
  title: `${DOCUMENTS} documents, ${1000 / INTERVAL} keystrokes a second each, from one instance's client to the other's`,
  metrics: {
    p50: { title: "p50, ms", digits: 2, compared: true },
    p90: { title: "p90, ms", digits: 2, compared: true },
    p99: { title: "p99, ms", digits: 2, compared: true },
    max: { title: "max, ms", digits: 1, compared: false },
    cpu: { title: "CPU of both instances per keystroke, µs", digits: 0, compared: true },
    late: { title: "the bench itself late (p99), ms", digits: 2, compared: false },
  },
  fresh: false,
  rounds: (asked) => ROUNDS * asked,
  needsDocument: false,
  async run(deployment, { session, scale }) {
    const keystrokes = WARM_UP + scaled(MEASURED, scale, 20);
    const documents = await openTypedDocuments(deployment, session, DOCUMENTS);
    try {
      const sentAt = documents.map((): number[] => []);
      const took: number[] = [];
      for (const [document, typed] of documents.entries()) {
        let arrived = 0;
        typed.onArrival = (at) => {
          for (; arrived < typed.arrived; arrived++) {
            const sent = sentAt[document]?.[arrived];
            if (sent !== undefined && arrived >= WARM_UP) took.push(at - sent);
          }
        };
        // Read when all is over: reading one frame would make the next one look late.
        for (const { client } of typed.readers) client.hold();
      }
      collectOwnGarbage();
      const cpu = await deployment.cpu();
      const late = await typeOnSchedule(documents, keystrokes, (document, keystroke) => {
        (sentAt[document] ??= [])[keystroke] = performance.now();
      });
      await allArrived(documents);
      const used = (await deployment.cpu()) - cpu;
      const curve = PERCENTILES.map((percentile): CurvePoint => ({
        percentile,
        value: quantile(took, percentile / 100),
      }));
      return [
        {
          values: {
            p50: quantile(took, 0.5),
            p90: quantile(took, 0.9),
            p99: quantile(took, 0.99),
            max: quantile(took, 1),
            cpu: used / late.length,
            late: quantile(late.slice(DOCUMENTS * WARM_UP), 0.99),
          },
          ...deliveryOf(documents),
          curve,
        },
      ];
    } finally {
      await closeTypedDocuments(documents);
    }
  },
};
