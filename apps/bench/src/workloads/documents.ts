import { setTimeout as wait } from "node:timers/promises";
import { connectClient } from "../client/bench-client.ts";
import type { BenchClient } from "../client/bench-client.ts";
import { concurrently } from "../concurrently.ts";
import type { Deployment } from "../deployment.ts";
import { closeTypedDocuments, deliveryOf, openTypedDocuments } from "./typed-document.ts";
import { typeAllInFlight } from "./type-in-flight.ts";
import { atMost, scaled } from "./workload.ts";
import type { Measurement, Workload } from "./workload.ts";

const IDLE = [1, 10, 100, 1000];
const TYPED = 10;
const KEYSTROKES = 150;
const WARM_UP = 50;
const CONNECTING = 20;

/** So many documents have enough to say after they were opened to be measured with the keystrokes. */
const MANY = 1000;
/** How long they are given for it, in milliseconds. */
const SETTLING = 20_000;

/** Documents that a client on each instance has open. */
async function openIdle(
  { protocol, pair, document }: Deployment,
  count: number,
): Promise<BenchClient[]> {
  const ids = Array.from({ length: count }, document);
  const opened = await concurrently(ids, CONNECTING, (id) =>
    Promise.all(
      pair.map(async ({ url }) => {
        const client = await connectClient(url, protocol, id);
        await client.synced;
        return client;
      }),
    ),
  );
  return opened.flat();
}

export const documents: Workload = {
  name: "documents",
  title: `${TYPED} documents typed, one keystroke on its way each, while others are open and idle`,
  metrics: { cpu: { title: "CPU of both instances per keystroke, µs", digits: 0, compared: true } },
  axis: {
    title: "other open documents",
    scale: "log",
    step: { by: 1000, title: "1000 further open documents" },
  },
  fresh: false,
  rounds: atMost(3),
  needsDocument: false,
  async run(deployment, { session, scale }) {
    const keystrokes = scaled(KEYSTROKES, scale, 20);
    const measurements: Measurement[] = [];
    const idle: BenchClient[] = [];
    try {
      for (const count of IDLE) {
        idle.push(...(await openIdle(deployment, count - idle.length / 2)));
        if (count >= MANY) await wait(SETTLING);
        const typed = await openTypedDocuments(deployment, session, TYPED);
        try {
          await typeAllInFlight(typed, 1, WARM_UP);
          const before = await deployment.cpu();
          await typeAllInFlight(typed, 1, keystrokes);
          const used = (await deployment.cpu()) - before;
          measurements.push({
            at: count,
            values: { cpu: used / (TYPED * keystrokes) },
            ...deliveryOf(typed),
          });
        } finally {
          await closeTypedDocuments(typed);
        }
      }
    } finally {
      await concurrently(idle, 100, (client) => client.close());
    }
    return measurements;
  },
};
