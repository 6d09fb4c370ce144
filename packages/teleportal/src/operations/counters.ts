import type { InstanceCounters } from "./snapshot.ts";

/** What a server counts itself; the rest of `InstanceCounters` its sync transport factory counts. */
export type ServerCounters = Pick<
  InstanceCounters,
  | "clientMessagesIn"
  | "clientBytesIn"
  | "clientMessagesOut"
  | "clientBytesOut"
  | "clientsRefused"
  | "clientsTooSlow"
  | "clientsPaused"
  | "gaps"
  | "repairsAsked"
  | "repairsReceived"
  | "repairsSent"
  | "recordsUnreadable"
>;

/** Written to by connections and documents as they go. */
export type Counters = { -readonly [Name in keyof ServerCounters]: number };

export function createCounters(): Counters {
  return {
    clientMessagesIn: 0,
    clientBytesIn: 0,
    clientMessagesOut: 0,
    clientBytesOut: 0,
    clientsRefused: 0,
    clientsTooSlow: 0,
    clientsPaused: 0,
    gaps: 0,
    repairsAsked: 0,
    repairsReceived: 0,
    repairsSent: 0,
    recordsUnreadable: 0,
  };
}
