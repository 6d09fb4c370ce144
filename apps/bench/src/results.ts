import type { Contender } from "./contender.ts";
import type { Environment } from "./environment.ts";
import type { Measurement, Workload } from "./workloads/workload.ts";

/** What one run of a workload against one contender came to. */
export type Run = {
  readonly workload: string;
  readonly contender: string;
  readonly round: number;
} & (
  | { readonly type: "measured"; readonly measurement: Measurement }
  /** Lost or diverged: what it measured is no measurement. Or broke: there is none. */
  | { readonly type: "failed"; readonly reason: string; readonly at?: number }
);

/** Everything that a report is written of. */
export interface Results {
  readonly date: string;
  readonly environment: Environment;
  readonly text: string;
  readonly seed: number;
  readonly rounds: number;
  readonly scale: number;
  readonly awareness: boolean;
  readonly minutes: number;
  readonly workloads: readonly Omit<Workload, "run" | "rounds">[];
  readonly contenders: readonly Contender[];
  /** What could not be measured, and what would help. */
  readonly leftOut: readonly string[];
  readonly runs: readonly Run[];
}

/** How a finished measurement counts: only what arrived, and everywhere the same, was measured at all. */
export function judge(
  run: { readonly workload: string; readonly contender: string; readonly round: number },
  measurement: Measurement,
): Run {
  const { at, sent, notDelivered, equal } = measurement;
  const place = at === undefined ? {} : { at };
  if (notDelivered > 0) {
    const reason = `${notDelivered} of ${sent} not delivered`;
    return { ...run, ...place, type: "failed", reason };
  }
  if (!equal) return { ...run, ...place, type: "failed", reason: "readers did not end equal" };
  return { ...run, type: "measured", measurement };
}

/** The failures of what is ours. */
export function ownFailures({ contenders, runs }: Results): (Run & { readonly type: "failed" })[] {
  const own = new Set(contenders.filter(({ role }) => role === "ours").map(({ name }) => name));
  return runs.filter((run) => run.type === "failed").filter(({ contender }) => own.has(contender));
}
