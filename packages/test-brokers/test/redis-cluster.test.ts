import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findRedis, requireBroker, startRedisCluster } from "@teleportal/test-brokers";
import type { RedisCluster } from "@teleportal/test-brokers";

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(`a cluster of ${redis.title}`, () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 1, password: "pw" });
  });
  afterAll(() => cluster.stop());

  it("has every slot on a master, shared out evenly", async () => {
    const owners = await Promise.all([0, 5460, 5461, 10921, 10922, 16383].map(cluster.ownerOf));
    const [a, b, c] = cluster.nodes;
    expect(owners.map(({ id }) => id)).toEqual([a, a, b, b, c, c].map((node) => node?.id));
    for (const node of cluster.nodes) {
      expect(await node.command("CLUSTER", "INFO")).toContain("cluster_state:ok");
    }
  });

  it("moves a slot with its keys, and redirects whoever asks the old owner", async () => {
    const slot = await cluster.slotOf("key");
    const from = await cluster.ownerOf(slot);
    const to = cluster.nodes.slice(0, 3).find(({ id }) => id !== from.id);
    if (to === undefined) throw new Error("there is one master");
    await from.command("SET", "key", "value");
    await cluster.moveSlot(slot, to);
    expect((await cluster.ownerOf(slot)).id).toBe(to.id);
    expect(await to.command("GET", "key")).toBe("value");
    await expect(from.command("GET", "key")).rejects.toThrow(`MOVED ${slot} 127.0.0.1:${to.port}`);
    await cluster.moveSlot(slot, from);
    expect(await from.command("GET", "key")).toBe("value");
  });

  it("promotes a replica with the master's help, and the other way round when it is killed", async () => {
    const [master] = cluster.nodes;
    if (master === undefined) throw new Error("there is no master");
    const promoted = await cluster.failover(master, "graceful");
    expect(promoted.id).toBe(cluster.nodes[3]?.id);
    expect((await cluster.ownerOf(0)).id).toBe(promoted.id);
    expect((await cluster.failover(promoted, "kill")).id).toBe(master.id);
    await promoted.restart();
    await cluster.settled();
    expect(await promoted.command("ROLE")).toContain("slave");
  });

  it("leaves nothing behind", async () => {
    const own = await startRedisCluster();
    await own.stop();
    await own.stop();
    for (const node of own.nodes)
      await expect(node.command("PING")).rejects.toThrow("ECONNREFUSED");
  });

  it("of two masters is refused", async () => {
    await expect(startRedisCluster({ masters: 2 })).rejects.toThrow("cannot agree on a failover");
  });
});
