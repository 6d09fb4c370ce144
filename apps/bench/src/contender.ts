import type { ProtocolName } from "./client/client-protocol.ts";
import type { BrokerName } from "./broker.ts";

/** What is measured. */
export interface Contender {
  readonly name: string;
  readonly title: string;
  readonly broker: BrokerName;
  /** A file of `servers/`. */
  readonly server: string;
  readonly protocol: ProtocolName;
  /** `relay` and `peer` are what ours are compared with. A relay keeps no document for whoever comes later. */
  readonly role: "relay" | "ours" | "peer";
  /** An emulator that polls is slow and says little of the service: it takes part in the first round only. */
  readonly emulated: boolean;
}

function ours(broker: BrokerName, title: string): Contender {
  return {
    name: broker,
    title: `teleportal, ${title}`,
    broker,
    server: "teleportal",
    protocol: "y-websocket",
    role: "ours",
    emulated: broker === "google-pubsub",
  };
}

export const contenders: readonly Contender[] = [
  {
    name: "relay",
    title: "raw relay, Redis",
    broker: "redis",
    server: "raw-relay",
    protocol: "y-websocket",
    role: "relay",
    emulated: false,
  },
  ours("redis", "Redis"),
  ours("nats", "NATS"),
  ours("google-pubsub", "Google Pub/Sub"),
  {
    name: "hocuspocus",
    title: "Hocuspocus, Redis",
    broker: "redis",
    server: "hocuspocus",
    protocol: "hocuspocus",
    role: "peer",
    emulated: false,
  },
];
