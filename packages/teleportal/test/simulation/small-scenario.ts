import type { ClientPlan, Scenario } from "./scenario.ts";

/** A scenario made by hand: a good network and nobody there, but for what is given. */
export function smallScenario(seed: number, given: Partial<Scenario>): Scenario {
  return {
    seed,
    places: 2,
    broker: { latency: [1, 15], echo: false },
    transport: { batches: true, maxPayload: 1024 * 1024, countsReceivers: false },
    offlineBytes: 65_536,
    pieceSize: 65_536,
    faults: [],
    healed: 2000,
    clients: [],
    compactions: [],
    ...given,
  };
}

export function typist(edits: readonly number[], deleting = 0): ClientPlan {
  return { joins: 150, edits, deleting, moves: [], quits: undefined };
}
