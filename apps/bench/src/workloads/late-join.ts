import { setTimeout as wait } from "node:timers/promises";
import { smallestEncoding, textOf, updatesOf } from "../session/editing-session.ts";
import { generateGrowth } from "../session/generate-session.ts";
import { median } from "../statistics.ts";
import { joinDocument } from "./join.ts";
import type { Join } from "./join.ts";
import { closeTypedDocuments, deliveryOf, openTypedDocument, sendNext } from "./typed-document.ts";
import type { TypedDocument } from "./typed-document.ts";
import { typeInFlight } from "./type-in-flight.ts";
import { atMost, scaled } from "./workload.ts";
import type { Workload } from "./workload.ts";

const SIZE = 1_000_000;
const JOINS = 8;
/** Typed before each join and not waited for, so that the server has pending edits. */
const PENDING = 20;
/** How long the servers' standstills are looked at at least, in milliseconds. */
const STRETCH = 500;
/** A burst of phrases would overrun what a server buffers for a slow reader. */
const WINDOW = 64;

function typeOn(typed: TypedDocument): void {
  for (let i = 0; i < PENDING; i++) sendNext(typed);
}

export const lateJoin: Workload = {
  name: "late-join",
  title: "a client that joins a document of 1 MB, made of thousands of edits, while it is typed",
  metrics: {
    blocked: { title: "longest standstill of the serving instance, ms", digits: 1, compared: true },
    blockedMedian: { title: "the same, median of the joins", digits: 1, compared: false },
    quiet: { title: "longest standstill with nobody joining, ms", digits: 1, compared: false },
    took: { title: "until the joiner holds everything (median), ms", digits: 0, compared: false },
    download: { title: "joiner's download, × the smallest encoding", digits: 2, compared: true },
  },
  fresh: true,
  rounds: atMost(1),
  needsDocument: true,
  async run(deployment, { random, scale }) {
    const joins = scaled(JOINS, scale, 4);
    const session = generateGrowth(SIZE, 2 * PENDING * joins, random);
    const grown = session.keystrokes.length - 2 * PENDING * joins;
    const { protocol, pair, document } = deployment;
    const id = document();
    const typed = await openTypedDocument(protocol, id, session, pair[0].url, [pair[1].url]);
    // What is typed later adds next to nothing to it.
    const smallest = smallestEncoding(updatesOf(session, grown));
    const taken: (Join & { readonly sent: number; readonly times: number })[] = [];
    const blocked: number[] = [];
    const quiet: number[] = [];
    try {
      await typeInFlight(typed, WINDOW, grown);
      // What the servers do with that many edits is not the joiner's doing.
      await wait(STRETCH);
      for (let i = 0; i < joins; i++) {
        const serving = pair[(i + 1) % 2 === 0 ? 0 : 1];
        // The same typing without a join first, for what the standstill is compared with.
        quiet.push(
          await serving.standstill(() => {
            typeOn(typed);
            return wait(STRETCH);
          }),
        );
        blocked.push(
          await serving.standstill(async () => {
            typeOn(typed);
            const { sent } = typed;
            const [join] = await Promise.all([
              joinDocument(serving.url, protocol, id, session, sent),
              wait(STRETCH),
            ]);
            taken.push({ ...join, sent, times: join.bytes / smallest });
          }),
        );
      }
      await typeInFlight(typed, WINDOW, typed.sent);
      const delivery = deliveryOf([typed]);
      const missed = taken.reduce((sum, { sent, count }) => sum + Math.max(0, sent - count), 0);
      const equal = taken.every(
        ({ count, updates }) => textOf(updates) === textOf(updatesOf(session, count)),
      );
      return [
        {
          values: {
            blocked: Math.max(...blocked),
            blockedMedian: median(blocked),
            quiet: Math.max(...quiet),
            took: median(taken.map(({ took }) => took)),
            download: Math.max(...taken.map(({ times }) => times)),
          },
          sent: delivery.sent,
          notDelivered: delivery.notDelivered + missed,
          equal: delivery.equal && equal,
        },
      ];
    } finally {
      await closeTypedDocuments([typed]);
    }
  },
};
