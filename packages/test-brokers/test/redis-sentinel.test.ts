import { describe, expect, it } from "vitest";
import { findRedis, requireBroker, startRedisSentinels } from "@teleportal/test-brokers";

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(`Sentinels of a ${redis.title}`, () => {
  it("promote a replica when they are told to, and when the master is killed", async () => {
    await using sentinels = await startRedisSentinels({ replicas: 2, password: "pw" });
    const first = await sentinels.master();
    expect(first).toBe(sentinels.nodes[0]);
    const second = await sentinels.failover("graceful");
    expect(second).not.toBe(first);
    const third = await sentinels.failover("kill");
    expect(third).not.toBe(second);
    expect(await third.command("ROLE")).toContain("master");
    for (const sentinel of sentinels.sentinels) {
      expect(await sentinel.command("SENTINEL", "CKQUORUM", sentinels.name)).toMatch(/^OK/);
    }
  });

  it("keep what they know when they are started again, and leave nothing behind", async () => {
    const sentinels = await startRedisSentinels();
    const [one] = sentinels.sentinels;
    await one?.restart();
    expect(await one?.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinels.name)).toEqual([
      "127.0.0.1",
      String(sentinels.nodes[0]?.port),
    ]);
    await sentinels.stop();
    await sentinels.stop();
    await expect(one?.command("PING")).rejects.toThrow("ECONNREFUSED");
  });
});
