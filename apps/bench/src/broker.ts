import {
  findGooglePubsub,
  findNats,
  findRedis,
  startGooglePubsub,
  startNats,
  startRedis,
} from "@teleportal/test-brokers";
import type { BrokerAvailability } from "@teleportal/test-brokers";
import { Redis } from "ioredis";
import type { Traffic } from "./servers/instance-control.ts";

export type BrokerName = "redis" | "nats" | "google-pubsub";

/** A broker of the bench's own. */
export interface Broker {
  readonly url: string;
  /** Its name and version. */
  readonly title: string;
  /** How many messages it was given to publish so far; `undefined` where it cannot be asked. */
  published(): Promise<number | undefined>;
  /** Counts bytes as well. Not for a measurement of anything else: listening has its price. */
  listen(): Promise<Listener>;
  stop(): Promise<void>;
}

export interface Listener {
  /** What was published so far; `undefined` where nobody can listen. */
  heard(): Promise<Traffic | undefined>;
  stop(): void;
}

const STARTS: Readonly<Record<BrokerName, () => Promise<Broker>>> = {
  async redis() {
    const broker = await startRedis();
    return {
      url: broker.url,
      title: `Redis ${broker.version}`,
      async published() {
        const info = String(await broker.command("INFO", "commandstats"));
        const calls = [...info.matchAll(/cmdstat_s?publish:calls=(\d+)/g)];
        return calls.reduce((sum, [, count]) => sum + Number(count), 0);
      },
      listen: () => listenToRedis(broker.url),
      stop: broker.stop,
    };
  },
  async nats() {
    const broker = await startNats();
    const read = async (): Promise<Traffic> => {
      const { in_msgs: messages, in_bytes: bytes } = await broker.monitor("/varz");
      return { messages: Number(messages), bytes: Number(bytes) };
    };
    return {
      url: broker.url,
      title: `NATS ${broker.version}`,
      published: async () => (await read()).messages,
      listen: async () => ({ heard: read, stop() {} }),
      stop: broker.stop,
    };
  },
  async "google-pubsub"() {
    const broker = await startGooglePubsub();
    return {
      url: `google-pubsub://${broker.projectId}?endpoint=${broker.endpoint}`,
      title: `Google Pub/Sub emulator ${broker.version ?? ""}`.trim(),
      published: async () => undefined,
      listen: async () => ({ heard: async () => undefined, stop() {} }),
      stop: broker.stop,
    };
  },
};

async function listenToRedis(url: string): Promise<Listener> {
  const redis = new Redis(url);
  let messages = 0;
  let bytes = 0;
  redis.on("pmessageBuffer", (_pattern: unknown, _channel: unknown, message: Buffer) => {
    messages += 1;
    bytes += message.length;
  });
  await redis.psubscribe("*");
  return {
    async heard() {
      // Redis answers in order: what was published before has been heard.
      await redis.psubscribe("*");
      return { messages, bytes };
    },
    stop: () => redis.disconnect(),
  };
}

const FINDS: Readonly<Record<BrokerName, () => BrokerAvailability>> = {
  redis: findRedis,
  nats: findNats,
  "google-pubsub": findGooglePubsub,
};

/** What to do to have a broker; `undefined` for one that is there. */
export function missing(name: BrokerName): string | undefined {
  const availability = FINDS[name]();
  return availability.available ? undefined : availability.help;
}

export function startBroker(name: BrokerName): Promise<Broker> {
  return STARTS[name]();
}
