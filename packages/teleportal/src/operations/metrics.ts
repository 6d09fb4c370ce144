import type { InstanceCounters, InstanceSnapshot } from "./snapshot.ts";

/** A number that an operator watches. */
export interface Metric {
  /** As Prometheus wants it: with its unit, counters end with `_total`. */
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  read(snapshot: InstanceSnapshot): number;
}

/** In seconds. */
export const ROUND_TRIPS = {
  name: "teleportal_broker_round_trip_seconds",
  help: "How long messages took to the broker and back, measured once a heartbeat.",
} as const;

const COUNTERS: Record<keyof InstanceCounters, readonly [name: string, help: string]> = {
  clientMessagesIn: ["client_messages_received", "Messages from clients."],
  clientBytesIn: ["client_received_bytes", "Their bytes."],
  clientMessagesOut: ["client_messages_sent", "Messages to clients."],
  clientBytesOut: ["client_sent_bytes", "Their bytes."],
  clientsRefused: [
    "clients_refused",
    "Clients closed because what they sent made no sense or was too large.",
  ],
  clientsTooSlow: ["clients_too_slow", "Clients closed because they read too slowly."],
  clientsPaused: [
    "clients_paused",
    "How often a client was not read for a while: it was too fast.",
  ],
  gaps: ["gaps", "How often messages of another instance were found missing; repairs follow."],
  repairsAsked: ["repairs_asked", "Requests to other instances for what is missing."],
  repairsReceived: ["repairs_received", "Answers to them that held something."],
  repairsSent: ["repairs_sent", "Answers to other instances."],
  recordsUnreadable: [
    "records_unreadable",
    "Stored records that are no updates; they stay stored.",
  ],
  brokerMessagesOut: ["broker_messages_published", "Messages handed to the broker."],
  brokerBytesOut: ["broker_published_bytes", "Their bytes."],
  brokerMessagesIn: ["broker_messages_received", "Messages of other instances from the broker."],
  brokerBytesIn: ["broker_received_bytes", "Their bytes."],
  droppedOut: ["messages_dropped_out", "Messages not published; repairs bring what was in them."],
  droppedIn: ["messages_dropped_in", "Messages not read in time; repairs bring what was in them."],
  unreadable: ["broker_messages_unreadable", "What came from the broker and could not be read."],
};

const GAUGES: readonly Metric[] = [
  gauge("clients", "Connected clients.", ({ clients }) => clients),
  gauge("documents", "Open documents.", ({ documents }) => documents),
  gauge("peers", "Other instances known to be alive.", ({ peers }) => peers),
  gauge("outbox_bytes", "What is on its way to the broker now.", ({ outboxBytes }) => outboxBytes),
  gauge(
    "broker_round_trip_latest_seconds",
    "How long the latest message took to the broker and back; 0 before the first.",
    ({ roundTrips }) => (roundTrips.latest ?? 0) / 1000,
  ),
  gauge("uptime_seconds", "Since the instance was started.", ({ uptime }) => uptime),
  gauge("broker_connected", "1 in touch with the broker, 0 not; 1 without a broker.", ({ sync }) =>
    sync === "degraded" || sync === "closed" ? 0 : 1,
  ),
];

/** All there are, but for the histogram of round trips. */
export const METRICS: readonly Metric[] = [
  ...GAUGES,
  ...Object.entries(COUNTERS).map(([key, [name, help]]): Metric => ({
    name: `teleportal_${name}_total`,
    type: "counter",
    help,
    read: ({ counters }) => counters[key as keyof InstanceCounters],
  })),
];

function gauge(name: string, help: string, read: Metric["read"]): Metric {
  return { name: `teleportal_${name}`, type: "gauge", help, read };
}
