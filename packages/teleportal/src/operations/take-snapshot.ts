import type {
  RoundTrips,
  ServerSyncTransportFactory,
  SyncTransportFactory,
} from "@teleportal/sync-core";
import type { ServerCounters } from "./counters.ts";
import type { InstanceSnapshot } from "./snapshot.ts";

/** What a factory made by `createSyncTransportFactory` lets an operator see; a hand-written one need not. */
type ObservableFactory = Pick<
  SyncTransportFactory<unknown>,
  "status" | "metrics" | "peers" | "outboxBytes" | "roundTrips"
>;

const NO_ROUND_TRIPS: RoundTrips = { count: 0, sum: 0, latest: undefined, buckets: [] };

/** Puts together what the server and its sync transport factory know of themselves. */
export function takeSnapshot(
  server: Pick<InstanceSnapshot, "instance" | "uptime" | "clients" | "documents"> & {
    readonly counters: ServerCounters;
  },
  factory: ServerSyncTransportFactory | undefined,
): InstanceSnapshot {
  const seen = factory !== undefined && isObservable(factory) ? factory : undefined;
  const metrics = seen?.metrics;
  return {
    ...server,
    sync: factory === undefined ? "none" : (seen?.status ?? "unknown"),
    peers: seen?.peers ?? 0,
    outboxBytes: seen?.outboxBytes ?? 0,
    counters: {
      ...server.counters,
      brokerMessagesOut: metrics?.published ?? 0,
      brokerBytesOut: metrics?.publishedBytes ?? 0,
      brokerMessagesIn: metrics?.received ?? 0,
      brokerBytesIn: metrics?.receivedBytes ?? 0,
      droppedOut: metrics?.droppedOut ?? 0,
      droppedIn: metrics?.droppedIn ?? 0,
      unreadable:
        (metrics?.malformed ?? 0) +
        (metrics?.refused ?? 0) +
        (metrics?.unknownVersion ?? 0) +
        (metrics?.unknownKind ?? 0),
    },
    roundTrips: seen === undefined ? NO_ROUND_TRIPS : readRoundTrips(seen.roundTrips),
  };
}

/** As a plain object, for JSON: the histogram itself goes on counting. */
function readRoundTrips({ count, sum, latest, buckets }: RoundTrips): RoundTrips {
  return { count, sum, latest, buckets };
}

function isObservable(factory: object): factory is ObservableFactory {
  return "status" in factory && "metrics" in factory && "roundTrips" in factory;
}
