import type { Results } from "../results.ts";
import { median } from "../statistics.ts";

/** The middle of the rounds, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Which number of a report is meant. */
export interface Place {
  readonly workload: string;
  readonly metric: string;
  readonly at?: number | undefined;
}

function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

function byRound(results: Results, contender: string, place: Place): Map<number, number> {
  const values = new Map<number, number>();
  for (const run of results.runs) {
    if (run.type === "failed" || run.workload !== place.workload) continue;
    if (run.contender !== contender || run.measurement.at !== place.at) continue;
    const value = run.measurement.values[place.metric];
    if (value !== undefined && Number.isFinite(value)) values.set(run.round, value);
  }
  return values;
}

/** What a contender has needed; `undefined` if it has not been measured, or failed. */
export function spread(results: Results, contender: string, place: Place): Spread | undefined {
  if (hasFailed(results, contender, place.workload, place.at)) return undefined;
  return spreadOf([...byRound(results, contender, place).values()]);
}

/** One contender's number with another's of the same round: a machine that is slower in one is so for both. */
export function compare(
  results: Results,
  contender: string,
  other: string,
  place: Place,
  how: (value: number, other: number) => number = (value, base) => value / base,
): Spread | undefined {
  if (hasFailed(results, contender, place.workload, place.at)) return undefined;
  const others = byRound(results, other, place);
  const compared: number[] = [];
  for (const [round, value] of byRound(results, contender, place)) {
    const base = others.get(round);
    if (base !== undefined) compared.push(how(value, base));
  }
  return spreadOf(compared.filter(Number.isFinite));
}

/** Why a contender has failed, if any of its runs did. */
export function hasFailed(
  { runs }: Results,
  contender: string,
  workload: string,
  at?: number,
): string | undefined {
  for (const run of runs) {
    if (run.type !== "failed" || run.contender !== contender || run.workload !== workload) continue;
    // One that broke has no place on the axis: it spoils all of them.
    if (at === undefined || run.at === undefined || run.at === at) return run.reason;
  }
  return undefined;
}

/** The places on a workload's axis that were measured; `undefined` stands for the only one. */
export function placesOf({ runs }: Results, workload: string): (number | undefined)[] {
  const places = new Set<number | undefined>();
  for (const run of runs) {
    if (run.workload === workload && run.type === "measured") places.add(run.measurement.at);
  }
  return [...places].sort((a, b) => (a ?? 0) - (b ?? 0));
}
