import type { RoundTrips, SyncStatus } from "@teleportal/sync-core";

/** What an instance has done since it was started. All only ever grow. */
export interface InstanceCounters {
  /** Messages from and to clients, and their bytes, WebSocket headers left out. */
  readonly clientMessagesIn: number;
  readonly clientBytesIn: number;
  readonly clientMessagesOut: number;
  readonly clientBytesOut: number;
  /** Clients that were closed because what they sent made no sense, or was too large. */
  readonly clientsRefused: number;
  /** Clients that were closed because they read too slowly. */
  readonly clientsTooSlow: number;
  /** How often a client was not read for a while, because it sent faster than the limits allow. */
  readonly clientsPaused: number;
  /** How often messages of another instance were found missing. */
  readonly gaps: number;
  /** How often this instance has asked others for what it lacks, been answered, and answered them. */
  readonly repairsAsked: number;
  readonly repairsReceived: number;
  readonly repairsSent: number;
  /** Records that a storage has given and that are no updates; they stay in the storage. */
  readonly recordsUnreadable: number;
  /** Messages to and from the broker, and their bytes. */
  readonly brokerMessagesOut: number;
  readonly brokerBytesOut: number;
  readonly brokerMessagesIn: number;
  readonly brokerBytesIn: number;
  /** Messages dropped on their way out (broker away, outbox full) and in (reader too slow); repairs bring what was in them. */
  readonly droppedOut: number;
  readonly droppedIn: number;
  /** What came from the broker and could not be read, or was not sealed with the secret. */
  readonly unreadable: number;
}

/** One instance at one moment. Says how much, and never what: no document's name and none of its content is in it. */
export interface InstanceSnapshot {
  /** The instance's id among its peers. */
  readonly instance: string;
  /** In seconds. */
  readonly uptime: number;
  readonly clients: number;
  readonly documents: number;
  /** `none`: a single instance, without a sync transport; `unknown`: its factory does not say. */
  readonly sync: "none" | "unknown" | SyncStatus;
  /** How many other instances are known to be alive. */
  readonly peers: number;
  /** What is held for the broker now, in bytes. */
  readonly outboxBytes: number;
  readonly counters: InstanceCounters;
  /** To the broker and back. */
  readonly roundTrips: RoundTrips;
}
