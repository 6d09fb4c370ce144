import { FAULT_KINDS, planFault } from "./fault.ts";
import type { Fault } from "./fault.ts";
import { createRandom } from "./random.ts";
import type { BrokerSettings } from "./simulated-broker.ts";
import type { TransportSettings } from "./simulated-transport.ts";

/** What one client does, and when. */
export interface ClientPlan {
  readonly joins: number;
  readonly edits: readonly number[];
  /** The share of changes after the first edit that only delete. */
  readonly deleting: number;
  /** Loses its connection, and makes another. */
  readonly moves: readonly { readonly at: number; readonly until: number }[];
  readonly quits: number | undefined;
}

/** All that is decided beforehand: the rest follows from the seed. Times are virtual milliseconds. */
export interface Scenario {
  readonly seed: number;
  readonly places: number;
  readonly broker: BrokerSettings;
  readonly transport: TransportSettings;
  readonly offlineBytes: number;
  readonly pieceSize: number;
  readonly faults: readonly Fault[];
  /** The last of them is over. */
  readonly healed: number;
  readonly clients: readonly ClientPlan[];
  /** When a history is made compact. */
  readonly compactions: readonly { readonly at: number; readonly place: number }[];
}

export function planScenario(seed: number): Scenario {
  const random = createRandom(seed);
  const places = random.integer(2, 5);
  const healed = random.between(1500, 12_000);

  const faults: Fault[] = [];
  // All faults of a few kinds meet more often than all of many kinds.
  const kinds = FAULT_KINDS.filter(() => random.chance(0.5));
  const [kind = random.pick(FAULT_KINDS), ...otherKinds] = kinds;
  for (let left = random.integer(1, 6); left > 0; left--) {
    const at = random.between(300, healed);
    const until = left === 1 ? healed : random.between(at, healed);
    faults.push(planFault(random, random.pick([kind, ...otherKinds]), places, at, until));
  }
  if (random.chance(0.2)) {
    faults.push({
      kind: "late-start",
      at: 0,
      until: random.between(300, healed),
      place: places - 1,
    });
  }

  // Nobody types when the last fault ends: no later edit reveals what was lost.
  const typed = healed * random.between(0.3, 0.97);
  // Edits in the midst of faults find more than edits before them: each later one would reveal what was lost.
  const hit = faults.filter(({ at }) => at < typed);
  const calm = random.chance(0.3);

  function editTime(from: number): number {
    const fault = hit[random.integer(0, hit.length - 1)];
    if (calm || fault === undefined || from > fault.at) return random.between(from, typed);
    return random.between(fault.at, Math.min(fault.until, typed));
  }

  const clients = Array.from({ length: random.integer(1, 4) }, (): ClientPlan => {
    const joins = random.chance(0.7) ? random.between(0, 50) : random.between(0, typed);
    const later = Array.from({ length: random.integer(0, calm ? 12 : 3) }, () => editTime(joins));
    const moves = Array.from({ length: random.pick([0, 0, 1, 2]) }, () => {
      const at = random.between(joins, healed);
      return { at, until: random.between(at, Math.min(at + 3000, healed)) };
    });
    return {
      joins,
      edits: [random.between(joins, Math.min(joins + 300, typed)), ...later],
      deleting: random.pick([0.3, 0.95]),
      moves,
      quits: random.chance(0.25) ? random.between(typed, healed) : undefined,
    };
  });

  return {
    seed,
    places,
    broker: {
      latency: random.pick([
        [0.5, 2],
        [1, 15],
        [5, 80],
      ]),
      echo: random.chance(0.3),
    },
    transport: {
      batches: random.chance(0.8),
      maxPayload: random.chance(0.3) ? 256 : 1024 * 1024,
      countsReceivers: random.chance(0.5),
    },
    offlineBytes: random.chance(0.6) ? 65_536 : 120,
    pieceSize: random.chance(0.6) ? 65_536 : 60,
    faults,
    healed,
    clients,
    compactions: random.chance(0.3)
      ? [{ at: random.between(500, healed), place: random.integer(0, places - 1) }]
      : [],
  };
}
