import * as Y from "yjs";
import { History } from "../../src/document/history.ts";
import { InvariantBroken } from "./invariant-broken.ts";
import { contentOf } from "./simulated-client.ts";
import type { SimulatedClient } from "./simulated-client.ts";
import type { SimulatedInstance } from "./simulated-instance.ts";

/** Remembers what was written, and judges what the instances hold of it. */
export interface Witness {
  wrote(update: Uint8Array): void;
  /** An instance has taken that from a client: it answers for it from then on. */
  accepted(update: Uint8Array): void;
  /** That history is going to be forgotten: what it alone holds may be missing afterwards. */
  endangered(history: History): void;
  /** What the instances are to hold from some time after now on: each written update that one of them holds now. */
  expected(instances: readonly SimulatedInstance[]): ReadonlySet<Uint8Array>;
  judge(
    expected: ReadonlySet<Uint8Array>,
    instances: readonly SimulatedInstance[],
    clients: readonly SimulatedClient[],
  ): void;
}

export function createWitness(): Witness {
  const written = new Set<Uint8Array>();
  /** What some instance has to hold as long as no history that holds it is lost. */
  const owed = new Set<Uint8Array>();

  return {
    wrote: (update) => void written.add(update),
    accepted: (update) => void owed.add(update),
    endangered(history) {
      for (const update of owed) if (history.isKnown(update)) owed.delete(update);
    },
    expected(instances) {
      const expected = new Set<Uint8Array>();
      for (const update of written) {
        if (instances.some(({ history }) => history.isKnown(update))) expected.add(update);
      }
      for (const update of owed) {
        if (instances.some(({ history }) => history.isKnown(update))) continue;
        throw new InvariantBroken("no keystroke is lost", "nobody holds an accepted update");
      }
      return expected;
    },
    judge(expected, instances, clients) {
      const reference = docOf([...expected]);
      const content = contentOf(reference);
      const everything = new History();
      const all = docOf([...written]);
      everything.take(Y.encodeStateAsUpdate(all));

      for (const { place, history } of instances) {
        let missing = 0;
        for (const update of expected) if (!history.isKnown(update)) missing += 1;
        if (missing > 0) {
          throw new InvariantBroken(
            "no keystroke is lost",
            `${place} lacks ${missing} of ${expected.size} updates`,
          );
        }
        const held = history.state();
        if (!everything.isKnown(held)) {
          throw new InvariantBroken("nobody holds what nobody wrote", `${place} does`);
        }
        const doc = docOf([held]);
        const actual = contentOf(doc);
        if (actual !== content) {
          throw new InvariantBroken(
            "no keystroke is lost",
            `${place} reads ${actual} instead of ${content}`,
          );
        }
      }
      const digests = new Set(instances.map(({ history }) => history.digest().join()));
      if (digests.size > 1) {
        throw new InvariantBroken("no keystroke is lost", `${digests.size} digests differ`);
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
