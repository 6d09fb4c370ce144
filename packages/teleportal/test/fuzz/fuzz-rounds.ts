import { fuzzBroker } from "./fuzz-broker.ts";
import { fuzzClients } from "./fuzz-clients.ts";

/** A new world each: so many inputs go into one. */
export const INPUTS_PER_ROUND = 2000;

/** What is attacked in a round: its seed says. */
export const TARGETS = ["clients", "broker", "sealed broker"] as const;

export function targetOf(seed: number): (typeof TARGETS)[number] {
  return TARGETS[seed % TARGETS.length] ?? "clients";
}

/** @throws FuzzError if anybody notices who was not attacked */
export async function fuzzRound(seed: number): Promise<void> {
  switch (targetOf(seed)) {
    case "clients":
      await fuzzClients(seed, INPUTS_PER_ROUND);
      break;
    case "broker":
      await fuzzBroker(seed, INPUTS_PER_ROUND);
      break;
    case "sealed broker":
      await fuzzBroker(seed, INPUTS_PER_ROUND, "a secret of 32 characters or more");
  }
}
