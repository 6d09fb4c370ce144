import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Deployment, Place } from "./deployment.ts";

/** A fault: what is done to a deployment, from a settled start to the moment the fault is over. */
export interface Scenario {
  readonly title: string;
  readonly instances?: number;
  readonly brokerLater?: boolean;
  /** Typing happens in here, and has stopped when it resolves; then nothing but time may pass. */
  run(deployment: Deployment, a: Place, b: Place, rest: readonly Place[]): Promise<void>;
}

const CHANNEL = "teleportal:sync:room1/doc456";

async function kill({ broker }: Deployment, type: "pubsub" | "normal"): Promise<void> {
  await broker.command("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
}

export const scenarios: readonly Scenario[] = [
  {
    title: "both subscribers killed while both sides type",
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
    async run(deployment, a) {
      a.type(5);
      await deployment.settled();
      await kill(deployment, "pubsub");
      a.type(1);
    },
  },
  {
    title: "a 20 s outage of the broker",
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
    async run(_deployment, a, b) {
      await a.link.cut();
      b.type(50);
      await sleep(1000);
      await a.link.heal();
    },
  },
  {
    title: "only deletions lost",
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
    async run(_deployment, a, b) {
      a.link.darken();
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
    async run(_deployment, a, b) {
      a.type(20);
      b.type(20);
      await b.killAndRestart();
    },
  },
  {
    title: "a slow consumer cut off by its output-buffer limit",
    async run({ broker }, a, b) {
      const limit = "normal 0 0 0 replica 0 0 0 pubsub 1mb 1mb 1";
      await broker.command("CONFIG", "SET", "client-output-buffer-limit", limit);
      const cutOff = async (): Promise<boolean> => {
        const subscribers = String(await broker.command("CLIENT", "LIST", "TYPE", "pubsub"));
        return subscribers.trim().split("\n").length === 1;
      };
      b.pause();
      // The kernel's own buffers take the first megabytes.
      for (let i = 0; i < 150 && !(await cutOff()); i++) {
        a.paste(200_000);
        await sleep(20);
      }
      if (!(await cutOff())) throw new Error("Redis has not cut the slow consumer off");
      b.resume();
    },
  },
  {
    title: "a client joins during the outage",
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
    async run({ broker, settled }, a, b) {
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
    title: "a link that flaps ten times",
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
    async run({ broker }, a, b) {
      a.link.darken();
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
