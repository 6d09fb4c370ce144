import { settles } from "./condition.ts";
import type { BrokerFaults } from "./target.ts";

/** The same, and each rejects if it has not settled within `patience` milliseconds. */
export function bounded(faults: BrokerFaults, patience: number): BrokerFaults {
  const within = (name: keyof BrokerFaults) => (): Promise<void> =>
    settles(faults[name](), patience, `\`faults.${name}\` did not settle`);
  return {
    cut: within("cut"),
    darken: within("darken"),
    heal: within("heal"),
    restart: within("restart"),
  };
}
