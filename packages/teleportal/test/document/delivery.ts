import fc from "fast-check";
import * as Y from "yjs";
import { createRandom } from "../simulation/random.ts";
import type { Random } from "../simulation/random.ts";

/** What chooses how updates come. */
export const deliveries: fc.Arbitrary<Random> = fc.noShrink(fc.nat()).map((seed) => {
  const random = createRandom(seed);
  return Object.assign(random, { [fc.toStringMethod]: () => `createRandom(${seed})` });
});

/**
 * The same updates as a server may receive them: in any order, some twice, some as one with others, and some of which a part is cut
 * off, as a client does that knows what the server holds.
 */
export function delivered(updates: readonly Uint8Array[], random: Random): Uint8Array[] {
  const all = [...updates];
  for (const update of updates) {
    if (random.chance(0.2)) all.push(update);
    if (random.chance(0.1)) all.push(Y.mergeUpdates(picked(updates, random)));
    if (random.chance(0.1)) all.push(withoutSome(updates, random));
  }
  // Half of the updates come only as a part of a merged one.
  if (random.chance(0.5)) all.splice(0, updates.length >> 1, Y.mergeUpdates([...updates]));
  return inAnyOrder(all, random);
}

/** At least one. */
export function picked(updates: readonly Uint8Array[], random: Random): Uint8Array[] {
  const some = updates.filter(() => random.chance(0.3));
  const [first] = updates;
  return some.length === 0 && first !== undefined ? [first] : some;
}

export function inAnyOrder<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, by: random.next() }))
    .sort((a, b) => a.by - b.by)
    .map(({ item }) => item);
}

/** Everything but what somebody holds who has some of it. */
function withoutSome(updates: readonly Uint8Array[], random: Random): Uint8Array {
  const holder = new Y.Doc();
  for (const update of picked(updates, random)) Y.applyUpdate(holder, update);
  return Y.diffUpdate(Y.mergeUpdates([...updates]), Y.encodeStateVector(holder));
}
