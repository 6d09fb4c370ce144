import { openLink } from "@teleportal/sync-core/conformance";
import type { Link } from "@teleportal/sync-core/conformance";
import {
  findGooglePubsub,
  findNats,
  findRedis,
  requireBroker,
  startGooglePubsub,
  startNats,
  startNatsCluster,
  startRedis,
  startRedisCluster,
  startRedisSentinels,
} from "@teleportal/test-brokers";
import type { BrokerRequirement, RedisBroker } from "@teleportal/test-brokers";

/** A broker that a deployment's instances share, to be broken. */
export interface DeployedBroker {
  /** An instance's own way to it: what `--sync` takes, and the link on it if the broker can be reached through one. */
  openWay(): Promise<{ readonly sync: string; readonly link: Link | undefined }>;
  kill(): Promise<void>;
  /** Starts it again, empty; kills it before if need be. */
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
  /** For faults that only a single Redis has. */
  readonly redis?: RedisBroker;
  /** Takes the node that all depend on away, and waits until another has its place. */
  failOver?(): Promise<void>;
}

/** One kind of broker, and what can be done to it: what a fault scenario may ask for. */
export interface BrokerKind {
  readonly title: string;
  readonly requirement: BrokerRequirement;
  readonly can: readonly BrokerAbility[];
  /** By when everything is everywhere after a fault has ended, in milliseconds. */
  readonly promise: number;
  /** By when the cursors of a crashed instance's clients are gone, in milliseconds. */
  readonly presence: number;
  start(): Promise<DeployedBroker>;
}

/** `link`: reached through a link that can be broken. `fail-over`: of several nodes. `redis`: a single Redis. */
export type BrokerAbility = "link" | "fail-over" | "redis";

/** Several nodes: all at once. */
function together(
  nodes: readonly {
    kill(): Promise<void>;
    restart(): Promise<void>;
    pause(): void;
    resume(): void;
  }[],
) {
  return {
    kill: async () => void (await Promise.all(nodes.map((node) => node.kill()))),
    restart: async () => void (await Promise.all(nodes.map((node) => node.restart()))),
    pause: () => nodes.forEach((node) => node.pause()),
    resume: () => nodes.forEach((node) => node.resume()),
  };
}

/** A way through a link of its own. */
async function throughLink(
  broker: { readonly host: string; readonly port: number },
  syncFor: (address: string) => string,
) {
  const link = await openLink(broker);
  return { link, sync: syncFor(`${link.host}:${link.port}`) };
}

const redis = requireBroker("Redis", findRedis());
const nats = requireBroker("NATS", findNats());
const pubsub = requireBroker("Google Pub/Sub emulator", findGooglePubsub());

export const brokerKinds: readonly BrokerKind[] = [
  {
    title: redis.title,
    requirement: redis,
    can: ["link", "redis"],
    promise: 10_000,
    presence: 10_000,
    async start() {
      const broker = await startRedis();
      return {
        ...broker,
        redis: broker,
        openWay: () => throughLink(broker, (address) => `redis://${address}`),
      };
    },
  },
  {
    title: `${redis.title} Cluster`,
    requirement: redis,
    can: ["fail-over"],
    promise: 10_000,
    presence: 10_000,
    async start() {
      const cluster = await startRedisCluster({ replicas: 1 });
      const seeds = cluster.nodes.map(({ host, port }) => `${host}:${port}`).join();
      return {
        ...together(cluster.nodes),
        async restart() {
          await together(cluster.nodes).restart();
          await cluster.settled();
        },
        openWay: async () => ({ sync: `redis+cluster://${seeds}`, link: undefined }),
        async failOver() {
          const slot = await cluster.slotOf("teleportal:sync:room1/doc456");
          await cluster.failover(await cluster.ownerOf(slot), "kill");
        },
        stop: cluster.stop,
      };
    },
  },
  {
    title: `${redis.title} with Sentinels`,
    requirement: redis,
    can: ["fail-over"],
    promise: 10_000,
    presence: 10_000,
    async start() {
      const sentinels = await startRedisSentinels();
      const addresses = sentinels.sentinels.map(({ host, port }) => `${host}:${port}`).join();
      return {
        ...together(sentinels.nodes),
        openWay: async () => ({
          sync: `redis+sentinel://${addresses}/${sentinels.name}`,
          link: undefined,
        }),
        failOver: async () => void (await sentinels.failover("kill")),
        stop: sentinels.stop,
      };
    },
  },
  {
    title: nats.title,
    requirement: nats,
    can: ["link"],
    promise: 10_000,
    presence: 10_000,
    async start() {
      const broker = await startNats();
      return {
        ...broker,
        restart: () => broker.restart(),
        openWay: () => throughLink(broker, (address) => `nats://${address}`),
      };
    },
  },
  {
    title: `${nats.title} cluster`,
    requirement: nats,
    can: ["fail-over"],
    promise: 10_000,
    presence: 10_000,
    async start() {
      const cluster = await startNatsCluster();
      return {
        ...together(cluster.nodes.map((node) => ({ ...node, restart: () => node.restart() }))),
        openWay: async () => ({ sync: cluster.url, link: undefined }),
        async failOver() {
          await cluster.nodes[0]?.kill();
        },
        stop: cluster.stop,
      };
    },
  },
  {
    title: pubsub.title,
    requirement: pubsub,
    can: ["link"],
    // Its heartbeat, which finds a dark link, is slower: it is billed.
    promise: 25_000,
    presence: 27_000,
    async start() {
      const broker = await startGooglePubsub();
      return {
        ...broker,
        openWay: () =>
          throughLink(
            broker,
            (address) => `google-pubsub://${broker.projectId}?endpoint=${address}`,
          ),
      };
    },
  },
];
