import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { RedisBroker } from "@teleportal/test-brokers";
import type { BrokerAbility } from "../brokers/broker-kinds.ts";
import type { Deployment, Place } from "./deployment.ts";

/** A fault: what is done to a deployment, from a settled start to the moment the fault is over. */
export interface Scenario {
  readonly title: string;
  /** What the broker must be able to, for the fault to make sense. @default any broker */
  readonly needs?: BrokerAbility;
  /** Tried on every broker each time; the others, but for Redis, only by `npm run faults`. */
  readonly always?: true;
  readonly instances?: number;
  readonly brokerLater?: boolean;
  /** Typing happens in here, and has stopped when it resolves; then nothing but time may pass. */
  run(deployment: Deployment, a: Place, b: Place, rest: readonly Place[]): Promise<void>;
}

const CHANNEL = "teleportal:sync:room1/doc456";

function redisOf({ broker }: Deployment): RedisBroker {
  if (broker.redis === undefined) throw new Error("this broker is no single Redis");
  return broker.redis;
}

async function kill(deployment: Deployment, type: "pubsub" | "normal"): Promise<void> {
  await redisOf(deployment).command("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
}

export const scenarios: readonly Scenario[] = [
  {
    title: "both subscribers killed while both sides type",
    needs: "redis",
    async run(deployment, a, b) {
      a.type(5);
      b.type(5);
      await kill(deployment, "pubsub");
      a.type(5);
      b.type(5);
    },
  },
  {
    title: "all connections killed while both sides type",
    needs: "redis",
    async run(deployment, a, b) {
      a.type(5);
      await kill(deployment, "normal");
      await kill(deployment, "pubsub");
      b.type(5);
      a.type(5);
    },
  },
  {
    title: "broker paused for 3 s",
    async run({ broker }, a, b) {
      broker.pause();
      a.type(20);
      b.type(20);
      await sleep(3000);
      broker.resume();
    },
  },
  {
    title: "broker killed and restarted empty",
    always: true,
    async run({ broker }, a, b) {
      await broker.kill();
      a.type(20);
      b.type(20);
      await sleep(1000);
      await broker.restart();
    },
  },
  {
    title: "the last keystrokes before silence lost",
    needs: "redis",
    async run(deployment, a) {
      a.type(5);
      await deployment.settled();
      await kill(deployment, "pubsub");
      a.type(1);
    },
  },
  {
    title: "a 20 s outage of the broker",
    needs: "link",
    async run({ places }, a, b) {
      await Promise.all(places.map(({ link }) => link.cut()));
      for (let i = 0; i < 20; i++) {
        a.type(10);
        b.type(10);
        await sleep(1000);
      }
      await Promise.all(places.map(({ link }) => link.heal()));
    },
  },
  {
    title: "one instance cut off, both sides type",
    always: true,
    needs: "link",
    async run(_deployment, a, b) {
      await a.link.cut();
      a.type(50);
      b.type(50);
      await sleep(1000);
      await a.link.heal();
    },
  },
  {
    title: "one instance cut off, only the other types",
    needs: "link",
    async run(_deployment, a, b) {
      await a.link.cut();
      b.type(50);
      await sleep(1000);
      await a.link.heal();
    },
  },
  {
    title: "only deletions lost",
    needs: "link",
    async run(deployment, a, b) {
      a.type(10);
      await deployment.settled();
      await b.link.cut();
      a.erase(5);
      await sleep(1000);
      await b.link.heal();
    },
  },
  {
    title: "half-open link: bytes vanish, nothing closes",
    always: true,
    needs: "link",
    async run(_deployment, a, b) {
      await a.link.darken();
      a.type(20);
      b.type(20);
      await sleep(2000);
      await a.link.heal();
    },
  },
  {
    title: "an instance paused for 12 s",
    async run(_deployment, a, b) {
      b.pause();
      a.type(50);
      await sleep(12_000);
      b.resume();
    },
  },
  {
    title: "an instance killed and restarted empty",
    always: true,
    async run(_deployment, a, b) {
      a.type(20);
      b.type(20);
      await b.killAndRestart();
    },
  },
  {
    title: "a slow consumer cut off by its output-buffer limit",
    needs: "redis",
    async run(deployment, a, b) {
      const broker = redisOf(deployment);
      const limit = "normal 0 0 0 replica 0 0 0 pubsub 1mb 1mb 1";
      await broker.command("CONFIG", "SET", "client-output-buffer-limit", limit);
      const cutOff = async (): Promise<boolean> => {
        const subscribers = String(await broker.command("CLIENT", "LIST", "TYPE", "pubsub"));
        return subscribers.trim().split("\n").length === 1;
      };
      b.pause();
      // The kernel's own buffers take the first megabytes. What was pasted may take its time to the broker.
      for (let i = 0; !(await cutOff()); i++) {
        if (i === 2000) throw new Error("Redis has not cut the slow consumer off");
        if (i < 150) a.paste(200_000);
        await sleep(20);
      }
      b.resume();
    },
  },
  {
    title: "a client joins during the outage",
    needs: "link",
    async run(deployment, a, b) {
      await a.link.cut();
      b.type(10);
      const late = deployment.join(a);
      await late.synced;
      a.type(10);
      await sleep(500);
      await a.link.heal();
    },
  },
  {
    title: "broker absent at the start",
    brokerLater: true,
    async run(_deployment, a, b) {
      a.type(20);
      b.type(20);
      await sleep(1000);
    },
  },
  {
    title: "an 8 MB paste",
    async run(_deployment, a, b) {
      a.paste(8_000_000);
      b.type(5);
      await sleep(0);
    },
  },
  {
    title: "garbage, and truncated and replayed copies of real traffic",
    needs: "redis",
    async run(deployment, a, b) {
      const { settled } = deployment;
      const broker = redisOf(deployment);
      const client = new Redis(broker.url);
      const subscriber = client.duplicate();
      const real: Buffer[] = [];
      subscriber.on("messageBuffer", (_channel: Buffer, bytes: Buffer) => real.push(bytes));
      await subscriber.subscribe(CHANNEL);
      a.type(10);
      b.type(10);
      await settled();
      await subscriber.quit();
      for (const bytes of real) {
        await client.publish(CHANNEL, bytes);
        await client.publish(CHANNEL, bytes.subarray(0, bytes.length - 3));
        await client.publish(CHANNEL, Buffer.from(bytes.toReversed()));
        await client.publish(CHANNEL, Buffer.concat([bytes, bytes]));
        await client.publish(CHANNEL, "garbage");
      }
      a.type(5);
      b.type(5);
      await client.quit();
    },
  },
  {
    title: "the node that all depend on killed while both sides type",
    always: true,
    needs: "fail-over",
    async run({ broker }, a, b) {
      a.type(5);
      b.type(5);
      const failedOver = broker.failOver?.();
      a.type(5);
      await sleep(500);
      b.type(5);
      await failedOver;
      a.type(5);
    },
  },
  {
    title: "a link that flaps ten times",
    needs: "link",
    async run(_deployment, a, b) {
      for (let i = 0; i < 10; i++) {
        await a.link.cut();
        a.type(3);
        b.type(3);
        await sleep(100);
        await a.link.heal();
        a.type(1);
        await sleep(i * 30);
      }
    },
  },
  {
    title: "two faults at once: broker restarted empty, one link half-open",
    needs: "link",
    async run({ broker }, a, b) {
      await a.link.darken();
      await broker.kill();
      a.type(10);
      b.type(10);
      await sleep(1000);
      await broker.restart();
      await a.link.heal();
    },
  },
  {
    title: "three instances, of which one falls behind",
    needs: "link",
    instances: 3,
    async run(_deployment, a, b, [c]) {
      if (c === undefined) throw new Error("there is no third instance");
      await c.link.cut();
      a.type(20);
      b.erase(3);
      b.type(20);
      c.type(5);
      await sleep(1000);
      a.erase(3);
      await c.link.heal();
    },
  },
];
