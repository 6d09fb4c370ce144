import type { Deployment } from "../deployment.ts";
import type { EditingSession } from "../session/editing-session.ts";

/** How long so many percent took at most, in milliseconds. */
export interface CurvePoint {
  readonly percentile: number;
  readonly value: number;
}

/** What one run of a workload against one contender has given, at one place of its axis if it has one. */
export interface Measurement {
  readonly at?: number;
  /** By metric. */
  readonly values: Readonly<Record<string, number>>;
  readonly sent: number;
  /** Keystrokes that a reader was to have and has not. */
  readonly notDelivered: number;
  /** Whether all readers hold what was typed in the end. */
  readonly equal: boolean;
  readonly curve?: readonly CurvePoint[];
  /** What a reader of the report has to know. */
  readonly note?: string;
}

export interface WorkloadSettings {
  /** What is typed where the workload has no text of its own. */
  readonly session: EditingSession;
  /** The same numbers for every contender and round. */
  readonly random: () => number;
  /** 1 for the full measurement; smaller for a shorter, noisier one. */
  readonly scale: number;
  /** Whether idle clients have a presence. */
  readonly awareness: boolean;
}

export interface Metric {
  /** Its unit included. */
  readonly title: string;
  readonly digits: number;
  /** Whether it is of interest how much less or more it is than another's. */
  readonly compared: boolean;
}

/** What a workload varies within a run. */
export interface Axis {
  readonly title: string;
  readonly scale: "linear" | "log";
  /** In what steps growth is told: by so much, and what that is called; left out where growth is another metric. */
  readonly step?: { readonly by: number; readonly title: string };
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly metrics: Readonly<Record<string, Metric>>;
  /** One measurement for each place on it. */
  readonly axis?: Axis;
  /** Servers of its own for each run, so that what others have left there is not measured. */
  readonly fresh: boolean;
  /**
   * How many rounds, when so many were asked for: fewer of what takes long and varies little; more, and shorter, of what the
   * machine's other work disturbs for seconds.
   */
  rounds(asked: number): number;
  /** A relay, that keeps no document, has nothing to show here. */
  readonly needsDocument: boolean;
  run(deployment: Deployment, settings: WorkloadSettings): Promise<Measurement[]>;
}

/** Rounds of what takes long, at most so many. */
export function atMost(most: number): Workload["rounds"] {
  return (asked) => Math.min(most, asked);
}

/** A count of the full measurement at this scale. */
export function scaled(count: number, scale: number, atLeast = 1): number {
  return Math.max(atLeast, Math.round(count * scale));
}
