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
  /** The relay that it is compared with: over the same broker, where there is one. */
  readonly relay: string;
  /** An emulator that polls is slow and says little of the service: it takes part in the first round only. */
  readonly emulated: boolean;
}

function relay(name: string, broker: BrokerName, title: string): Contender {
  return {
    name,
    title: `raw relay, ${title}`,
    broker,
    server: "raw-relay",
    protocol: "y-websocket",
    role: "relay",
    relay: name,
    emulated: false,
  };
}

function ours(broker: BrokerName, title: string, relayName: string): Contender {
  return {
    name: broker,
    title: `teleportal, ${title}`,
    broker,
    server: "teleportal",
    protocol: "y-websocket",
    role: "ours",
    relay: relayName,
    emulated: broker === "google-pubsub",
  };
}

export const contenders: readonly Contender[] = [
  relay("relay", "redis", "Redis"),
  ours("redis", "Redis", "relay"),
  relay("relay-nats", "nats", "NATS"),
  ours("nats", "NATS", "relay-nats"),
  ours("google-pubsub", "Google Pub/Sub", "relay"),
  {
    name: "hocuspocus",
    title: "Hocuspocus, Redis",
    broker: "redis",
    server: "hocuspocus",
    protocol: "hocuspocus",
    role: "peer",
    relay: "relay",
    emulated: false,
  },
];
