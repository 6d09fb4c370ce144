import * as Y from "yjs";
import { compact } from "../../src/document/compaction.ts";
import { UpdateLog } from "../../src/document/update-log.ts";
import { InvariantBroken } from "./invariant-broken.ts";
import { contentOf } from "./simulated-client.ts";
import type { SimulatedClient } from "./simulated-client.ts";
import type { SimulatedInstance } from "./simulated-instance.ts";

/** Remembers what was written, and judges what the instances hold of it. */
export interface Witness {
  wrote(update: Uint8Array): void;
  /** An instance has taken that from a client: it answers for it from then on. */
  accepted(update: Uint8Array): void;
  /** That log is going to be forgotten: what it alone holds may be missing afterwards. */
  endangered(log: UpdateLog): void;
  /** What the instances are to hold from some time after now on: each written update that one of them holds now. */
  expected(instances: readonly SimulatedInstance[]): ReadonlySet<Uint8Array>;
  judge(
    expected: ReadonlySet<Uint8Array>,
    instances: readonly SimulatedInstance[],
    clients: readonly SimulatedClient[],
  ): void;
}

const EMPTY_STATE_VECTOR = new Uint8Array([0]);

export function createWitness(): Witness {
  const written = new Set<Uint8Array>();
  /** What some instance has to hold as long as no log that holds it is lost. */
  const owed = new Set<Uint8Array>();

  return {
    wrote: (update) => void written.add(update),
    accepted: (update) => void owed.add(update),
    endangered(log) {
      for (const update of owed) if (log.isKnown(update)) owed.delete(update);
    },
    expected(instances) {
      const expected = new Set<Uint8Array>();
      for (const update of written) {
        if (instances.some(({ log }) => log.isKnown(update))) expected.add(update);
      }
      for (const update of owed) {
        if (instances.some(({ log }) => log.isKnown(update))) continue;
        throw new InvariantBroken("no keystroke is lost", "nobody holds an accepted update");
      }
      return expected;
    },
    judge(expected, instances, clients) {
      const reference = docOf([...expected]);
      const content = contentOf(reference);
      const everything = new UpdateLog();
      const all = docOf([...written]);
      everything.append(Y.encodeStateAsUpdate(all));

      for (const { place, log } of instances) {
        let missing = 0;
        for (const update of expected) if (!log.isKnown(update)) missing += 1;
        if (missing > 0) {
          throw new InvariantBroken(
            "no keystroke is lost",
            `${place} lacks ${missing} of ${expected.size} updates`,
          );
        }
        const held = log.diff(EMPTY_STATE_VECTOR);
        if (!held.every((update) => everything.isKnown(update))) {
          throw new InvariantBroken("nobody holds what nobody wrote", `${place} does`);
        }
        const doc = docOf(held);
        const actual = contentOf(doc);
        if (actual !== content) {
          throw new InvariantBroken(
            "no keystroke is lost",
            `${place} reads ${actual} instead of ${content}`,
          );
        }
      }
      const digests = new Set(instances.map(({ log }) => log.digest().join()));
      if (digests.size > 1) {
        // A log made compact also holds the deletions that Yjs only implies: others may hear of them later.
        const spelledOut = new Set(instances.map(({ log }) => spelledOutDigest(log)));
        if (spelledOut.size > 1) {
          throw new InvariantBroken("no keystroke is lost", `${spelledOut.size} digests differ`);
        }
      }
      for (const { name, synced, doc } of clients) {
        if (!synced || contentOf(doc) === content) continue;
        throw new InvariantBroken(
          "no keystroke is lost",
          `${name} reads ${contentOf(doc)} instead of ${content}`,
        );
      }
    },
  };
}

function docOf(updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  return doc;
}

/** The digest of what is held and of all that follows from it. */
function spelledOutDigest(log: UpdateLog): string {
  const pieces = compact(log.diff(EMPTY_STATE_VECTOR));
  return new UpdateLog(pieces.map(({ update }) => update)).digest().join();
}
