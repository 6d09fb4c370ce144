import * as Y from "yjs";
import type { Struct } from "./pieces.ts";

/** One client's structs, by clock, and how many of them are out. */
interface Queue {
  readonly structs: readonly Struct[];
  next: number;
}

/** Where a client's structs have to be out up to, before something else can follow. */
interface Demand {
  readonly client: number;
  readonly clock: number;
}

/**
 * All structs, each after those it refers to. `clients` has each client's by clock, as Yjs keeps them. What refers to
 * something that is not there comes anyway.
 */
export function* inCausalOrder(
  clients: ReadonlyMap<number, readonly Struct[]>,
): Generator<Struct, void> {
  const queues = new Map<number, Queue>();
  for (const [client, structs] of clients) queues.set(client, { structs, next: 0 });

  for (const first of queues.keys()) {
    const demands: Demand[] = [{ client: first, clock: Number.POSITIVE_INFINITY }];
    for (let demand = demands.at(-1); demand !== undefined; demand = demands.at(-1)) {
      const queue = queues.get(demand.client);
      const struct = queue?.structs[queue.next];
      if (queue === undefined || struct === undefined || struct.id.clock > demand.clock) {
        demands.pop();
        continue;
      }
      const missing = struct instanceof Y.Item ? unmet(struct, queues) : undefined;
      // A client that is waited for already would be waited for for ever: no document is so, but foreign bytes may be.
      if (missing !== undefined && demands.every(({ client }) => client !== missing.client)) {
        demands.push(missing);
        continue;
      }
      queue.next += 1;
      yield struct;
    }
  }
}

/** The first that `item` refers to and that is not out yet. */
function unmet(item: Y.Item, queues: ReadonlyMap<number, Queue>): Demand | undefined {
  for (const id of [item.origin, item.rightOrigin, parentOf(item)]) {
    if (id === null || id.client === item.id.client) continue;
    const queue = queues.get(id.client);
    const next = queue?.structs[queue.next];
    if (next !== undefined && next.id.clock <= id.clock) return id;
  }
  return undefined;
}

function parentOf({ parent }: Y.Item): Y.ID | null {
  if (parent instanceof Y.ID) return parent;
  // Integrated, it is the type itself.
  return parent instanceof Y.AbstractType ? (parent._item?.id ?? null) : null;
}
