/** `connected`: in touch with the broker. `degraded`: not now; local work goes on. `closed`: for good. */
export type SyncStatus = "connected" | "degraded" | "closed";

/** Counters since the factory was made. All only ever grow. */
export interface SyncMetrics {
  /** Envelopes handed to the broker, and their bytes. */
  readonly published: number;
  readonly publishedBytes: number;
  /** Envelopes from other instances that were delivered, and their bytes. */
  readonly received: number;
  readonly receivedBytes: number;
  /** Own envelopes that came back and were left out. */
  readonly echoes: number;
  /** What could not be read: foreign bytes, envelopes of an unknown version, messages of an unknown kind. */
  readonly malformed: number;
  readonly unknownVersion: number;
  /** What was not sealed with the secret, or was played again. */
  readonly refused: number;
  readonly unknownKind: number;
  /** Messages dropped on their way out (broker away, outbox full, publish refused) and in (reader too slow). */
  readonly droppedOut: number;
  readonly droppedIn: number;
}

/** How long messages took to the broker and back, as far as that is measured: once a heartbeat. */
export interface RoundTrips {
  readonly count: number;
  /** Of all, in milliseconds. */
  readonly sum: number;
  /** The latest, in milliseconds. */
  readonly latest: number | undefined;
  /** How many took at most so many milliseconds; each includes those before it. */
  readonly buckets: readonly { readonly atMost: number; readonly count: number }[];
}
