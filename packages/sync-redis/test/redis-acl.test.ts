import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { findRedis, requireBroker, startRedis, startRedisCluster } from "@teleportal/test-brokers";
import { recordDriver } from "./driver-recorder.ts";
import type { RecordedDriver } from "./driver-recorder.ts";

const redis = requireBroker("Redis", findRedis());

/** The words of the README's line that begins `ACL SETUSER` and allows `command`. */
async function lineOf(command: string): Promise<string[]> {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const line = readme
    .split("\n")
    .find((candidate) => candidate.startsWith("ACL SETUSER") && candidate.includes(` +${command}`));
  if (line === undefined) throw new Error(`the README has no ACL line with +${command}`);
  return line.replace(">…", ">p:w@/").split(" ");
}

describe.skipIf(redis.skip)(`sync-redis on a ${redis.title} that knows users`, () => {
  const drivers: RecordedDriver[] = [];
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map(({ driver }) => driver.close()));
    vi.restoreAllMocks();
  });

  async function worksAs(url: string): Promise<void> {
    // Where ioredis misses a permission that it could do without, it prints that.
    const warnings = vi.spyOn(console, "warn");
    const options = { connection: url, options: { connectionName: "mine" } };
    const [sender, receiver] = [await recordDriver(options), await recordDriver(options)];
    drivers.push(sender, receiver);
    expect(String(sender.cause ?? "")).toBe("");
    for (const channel of [
      "teleportal:sync:a",
      "teleportal:sync:\0instances",
      "teleportal:sync:ä/ b",
    ]) {
      const unsubscribe = await receiver.subscribe(channel);
      await sender.publish(channel, "allowed");
      await receiver.heard(channel, "allowed");
      await unsubscribe();
      await expect(sender.publish(`other:${channel}`, "x")).rejects.toThrow("NOPERM");
      await expect(receiver.subscribe(`other:${channel}`)).rejects.toThrow("NOPERM");
    }
    expect([sender.states, receiver.states]).toEqual([["up"], ["up"]]);
    expect(warnings).not.toHaveBeenCalled();
  }

  it("does all it does as the user of the README, and nothing beside its channels", async () => {
    await using broker = await startRedis();
    await broker.command(...(await lineOf("publish")));
    await worksAs(`redis://teleportal:p%3Aw%40%2F@127.0.0.1:${broker.port}`);
  });

  it("does so on a cluster", async () => {
    await using cluster = await startRedisCluster();
    const line = await lineOf("spublish");
    for (const node of cluster.nodes) await node.command(...line);
    await worksAs(`redis+cluster://teleportal:p%3Aw%40%2F@127.0.0.1:${cluster.nodes[0]?.port}`);
  });

  it("says which password or permission is missing, and connects once that is right", async () => {
    await using cluster = await startRedisCluster();
    const line = await lineOf("spublish");
    const [{ port } = { port: 0 }] = cluster.nodes;
    const connection = `redis+cluster://teleportal:no@127.0.0.1:${port}`;
    const wrong = await recordDriver({ connection });
    drivers.push(wrong);
    expect(String(wrong.cause)).toContain("WRONGPASS");
    for (const node of cluster.nodes) await node.command(...line, ">no", "-cluster|slots");
    const barred = await recordDriver({ connection });
    drivers.push(barred);
    expect(String(barred.cause)).toMatch(/NOPERM.*whether this user may use CLUSTER/);
    for (const node of cluster.nodes) await node.command(...line);
    await barred.said("up");
    await wrong.said("up");
  });
});
