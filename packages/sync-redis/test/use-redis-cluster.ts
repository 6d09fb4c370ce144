import { afterAll, afterEach, beforeAll } from "vitest";
import { startRedisCluster } from "@teleportal/test-brokers";
import type { RedisCluster, RedisClusterNode } from "@teleportal/test-brokers";
import { keySlot } from "../src/key-slot.ts";
import { recordDriver } from "./driver-recorder.ts";
import type { RecordedDriver } from "./driver-recorder.ts";

export const PREFIX = "teleportal:sync:";

export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${PREFIX}doc${i}`);
}

/** A Redis Cluster for the tests of a suite, and drivers on it that are closed after each. */
export function useRedisCluster() {
  let cluster: RedisCluster;
  const drivers: RecordedDriver[] = [];

  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 1 });
  });
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map(({ driver }) => driver.close()));
  });
  afterAll(() => cluster.stop());

  function url(): string {
    const [first, second] = cluster.nodes;
    return `redis+cluster://127.0.0.1:${first?.port},127.0.0.1:${second?.port}`;
  }

  async function open(
    connection: Parameters<typeof recordDriver>[0]["connection"] = url(),
    settings: Omit<Parameters<typeof recordDriver>[0], "connection"> = {},
  ): Promise<RecordedDriver> {
    const recorded = await recordDriver({ connection, ...settings });
    drivers.push(recorded);
    return recorded;
  }

  /** Those of `channels` whose slots `owner` has. */
  async function channelsOf(owner: RedisClusterNode, channels: string[]): Promise<string[]> {
    const owned = await Promise.all(
      channels.map(async (channel) => (await cluster.ownerOf(keySlot(channel))).id === owner.id),
    );
    return channels.filter((_, i) => owned[i]);
  }

  /** Resolves when each of them has been down and is up again, from now on. */
  async function interruptionOf(...some: readonly RecordedDriver[]): Promise<void> {
    await Promise.all(
      some.map(async (driver) => {
        const before = driver.states.length;
        await driver.said("down", before);
        await driver.said("up", before + 1);
      }),
    );
  }

  /** Every one of them hears what any of them publishes, on every channel. */
  async function allLive(
    some: readonly RecordedDriver[],
    channels: readonly string[],
    when: string,
  ): Promise<void> {
    for (const [i, sender] of some.entries()) {
      for (const channel of channels) await sender.publish(channel, `${when} ${i}`);
      for (const receiver of some) {
        await Promise.all(channels.map((channel) => receiver.heard(channel, `${when} ${i}`)));
      }
    }
  }

  async function masters(): Promise<RedisClusterNode[]> {
    const owners = new Map<string, RedisClusterNode>();
    for (let slot = 0; slot < 16384; slot += 1000) {
      const owner = await cluster.ownerOf(slot);
      owners.set(owner.id, owner);
    }
    return [...owners.values()];
  }

  return {
    get cluster() {
      return cluster;
    },
    url,
    open,
    masters,
    channelsOf,
    interruptionOf,
    allLive,
  };
}
