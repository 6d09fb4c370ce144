import process from "node:process";
import {
  findGooglePubsub,
  findNats,
  findRedis,
  requireBroker,
  startGooglePubsub,
  startNats,
  startRedis,
} from "@teleportal/test-brokers";
import type { BrokerRequirement } from "@teleportal/test-brokers";
import { inOwnProcess } from "../src/stage/index.ts";
import type { StartInstance } from "../src/stage/index.ts";
import { exampleModule } from "./built.ts";

interface StartedBroker {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** An example, as the tests put it on a stage. */
export interface Backend {
  readonly name: string;
  readonly requirement: BrokerRequirement;
  /** Whether its instances are processes, each with a link to the broker. */
  readonly apart: boolean;
  readonly start: StartInstance;
  startBroker?(): Promise<StartedBroker>;
}

interface MemoryServerModule {
  startServer(port: number): Promise<{ readonly port: number; close(): Promise<void> }>;
}

function ownProcess(
  example: string,
  environment: (broker: string) => Record<string, string>,
): StartInstance {
  return inOwnProcess(exampleModule(example, "server.js"), environment);
}

const backends: readonly Backend[] = [
  {
    name: "memory",
    requirement: { skip: false, title: "memory" },
    apart: false,
    async start(port) {
      const module: MemoryServerModule = await import(exampleModule("memory", "server.js").href);
      const server = await module.startServer(port);
      return { port: server.port, kill: () => server.close() };
    },
  },
  {
    name: "redis",
    requirement: requireBroker("Redis", findRedis()),
    apart: true,
    start: ownProcess("redis", (broker) => ({ REDIS_URL: `redis://${broker}` })),
    startBroker: () => startRedis(),
  },
  {
    name: "nats",
    requirement: requireBroker("NATS", findNats()),
    apart: true,
    start: ownProcess("nats", (broker) => ({ NATS_URL: `nats://${broker}` })),
    startBroker: () => startNats(),
  },
  {
    name: "google-pubsub",
    requirement: requireBroker("Google Pub/Sub emulator", findGooglePubsub()),
    apart: true,
    start: ownProcess("google-pubsub", (broker) => ({
      PUBSUB_URL: `google-pubsub://test-project?endpoint=${broker}`,
    })),
    startBroker: () => startGooglePubsub(),
  },
];

/** `PLAYGROUND=all` tries every example, and not only two. */
export const testedBackends = backends.filter(
  ({ name }) => process.env["PLAYGROUND"] === "all" || name === "memory" || name === "redis",
);
