import { setTimeout as wait } from "node:timers/promises";
import type { RedisBroker } from "@teleportal/test-brokers";
import { createRandom } from "../simulation/random.ts";
import type { Random } from "../simulation/random.ts";
import type { Holding, InstanceProcess } from "./instance-process.ts";
import { visit } from "./visit.ts";
import { VisitedDocument } from "./visited-document.ts";

export interface SoakCycleSettings {
  readonly seed: number;
  /** How many visitors there are at a time. */
  readonly visitors: number;
  readonly documents: number;
  /** How long they come and go, in milliseconds. */
  readonly duration: number;
}

export interface SoakCycle {
  readonly visits: number;
  readonly keystrokes: number;
  readonly lost: number;
  /** Visitors whose connection was lost. */
  readonly cutOff: number;
  /** Of each instance, with nobody there. */
  readonly holdings: readonly Holding[];
}

/** How long the broker is away, in milliseconds. */
const OUTAGE = 500;

/** How long what was typed may take to be everywhere, and everything to be closed; in milliseconds. */
const PATIENCE = 60_000;

/** People come, type and leave while the broker is killed and started again; then all go, and what is left is counted. */
export async function soakCycle(
  broker: RedisBroker,
  instances: readonly InstanceProcess[],
  settings: SoakCycleSettings,
): Promise<SoakCycle> {
  const random = createRandom(settings.seed);
  const urls = instances.map(({ url }) => url);
  const documents = await Promise.all(
    Array.from({ length: settings.documents }, (_, index) =>
      VisitedDocument.open(`soak/${settings.seed}/${index}`, urls),
    ),
  );
  const until = performance.now() + settings.duration;
  let visits = 0;
  let cutOff = 0;

  async function comeAndGo(own: Random): Promise<void> {
    while (performance.now() < until) {
      const document = own.pick(documents as [VisitedDocument, ...VisitedDocument[]]);
      const url = own.pick(urls as [string, ...string[]]);
      try {
        document.note(await visit(`${url}/${document.name}`, own));
        visits += 1;
      } catch {
        cutOff += 1;
      }
    }
  }

  async function outage(): Promise<void> {
    await wait(settings.duration / 2);
    await broker.kill();
    await wait(OUTAGE);
    await broker.restart();
  }

  await Promise.all([
    outage(),
    ...Array.from({ length: settings.visitors }, () => comeAndGo(random.fork())),
  ]);
  const missing = await Promise.all(documents.map((document) => document.missing(PATIENCE)));
  for (const document of documents) document.close();
  return {
    visits,
    cutOff,
    keystrokes: documents.reduce((sum, { typed }) => sum + typed, 0),
    lost: missing.reduce((sum, count) => sum + count, 0),
    holdings: await Promise.all(instances.map(holdingNothing)),
  };
}

/** Resolves when the instance is back at the broker, and all its documents are closed. @throws if it does not come to that */
async function holdingNothing(instance: InstanceProcess): Promise<Holding> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const holding = await instance.holding();
    if (holding.documents === 0 && holding.connections === 0 && holding.connected) return holding;
    if (performance.now() > deadline) {
      throw new Error(`[soak] an instance does not come to rest: ${JSON.stringify(holding)}`);
    }
    await wait(100);
  }
}
