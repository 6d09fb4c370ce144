import { Socket } from "node:net";
import { Cluster } from "ioredis";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { silentLogger } from "@teleportal/sync-core";
import type { PeerMessage } from "@teleportal/sync-core";
import { createRedisServerSyncTransportFactory } from "@teleportal/sync-redis";
import { findRedis, requireBroker } from "@teleportal/test-brokers";
import type { RedisClusterNode } from "@teleportal/test-brokers";
import { keySlot } from "../src/key-slot.ts";
import { recordDriver } from "./driver-recorder.ts";
import { numbered, PREFIX, useRedisCluster } from "./use-redis-cluster.ts";

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(`sync-redis on a cluster of ${redis.title}`, () => {
  const used = useRedisCluster();
  const { open, masters } = used;

  async function clientsOf(node: RedisClusterNode, name: string): Promise<number> {
    const list = String(await node.command("CLIENT", "LIST"));
    return list.split("\n").filter((line) => line.includes(`name=${name} `)).length;
  }

  it("finds the slot of any name as Redis does", async () => {
    const names = [
      "",
      "a",
      "{",
      "}",
      "{}",
      "{}a",
      "{a}b",
      "x{a}{b}",
      "x{{a}}",
      "}{a",
      "ä{文档}",
      "👩‍👩‍👧{",
    ];
    for (const name of names)
      expect([name, keySlot(name)]).toEqual([name, await used.cluster.slotOf(name)]);
  });

  it("carries messages in order over documents of every node", async () => {
    const sender = await open();
    const receiver = await open();
    const channels = numbered(60);
    for (const channel of channels) await receiver.subscribe(channel);
    const sent = Array.from({ length: 50 }, (_, i) => String(i));
    await Promise.all(
      sent.flatMap((text) => channels.map((channel) => sender.publish(channel, text))),
    );
    await Promise.all(channels.map((channel) => receiver.heard(channel, "49")));
    for (const channel of channels) expect(receiver.texts(channel)).toEqual(sent);
    for (const master of await masters()) {
      expect(await master.command("PUBSUB", "SHARDCHANNELS", `${PREFIX}doc*`)).not.toEqual([]);
    }
  });

  it("keeps apart ids that braces put in one slot, and ids that are odd", async () => {
    const ids = [
      "{room}a",
      "{room}b",
      "{room}",
      "{}",
      "{",
      "}",
      "a{b",
      "{a}{b}",
      "a b",
      "a\nb",
      "*",
      "文档",
      "👩‍👩‍👧",
    ];
    const sender = await open();
    const receiver = await open();
    for (const id of ids) await receiver.subscribe(PREFIX + id);
    for (const id of ids) await sender.publish(PREFIX + id, id);
    for (const id of ids) await receiver.heard(PREFIX + id, id);
    expect(receiver.received).toHaveLength(ids.length);
  });

  it("costs one node one message, and tells no number of receivers that could be too small", async () => {
    const driver = await open();
    const channel = PREFIX + "one";
    await driver.subscribe(channel);
    const monitors = await Promise.all(used.cluster.nodes.map((node) => node.monitor()));
    expect(await driver.publish(channel, "once")).toBe(undefined);
    await driver.heard(channel, "once");
    await Promise.all(monitors.map((monitor) => monitor.settled()));
    const publishes = monitors.flatMap(({ commands }) =>
      commands.filter(([name]) => name?.endsWith("PUBLISH")),
    );
    for (const monitor of monitors) monitor.stop();
    expect(publishes).toEqual([["SPUBLISH", channel, "once"]]);
  });

  it("writes what is published together to each master in one system call", async () => {
    const { driver, publish } = await open();
    const channels = numbered(30);
    // Once, so that the connections are there.
    for (const channel of channels) await publish(channel, "before");
    const single = vi.spyOn(Socket.prototype, "_write");
    const several = vi.spyOn(Socket.prototype, "_writev");
    onTestFinished(() => void vi.restoreAllMocks());
    const publishing: Promise<unknown>[] = [];
    driver.together?.(() => {
      for (const channel of channels) publishing.push(publish(channel, "together"));
    });
    await Promise.all(publishing);
    // By then the sockets have put the bytes alone in place of the chunks.
    const texts = [
      ...single.mock.calls.map(([chunk]) => String(chunk)),
      ...several.mock.calls.map(([chunks]: [readonly unknown[], unknown]) => chunks.join("")),
    ];
    const written = texts.filter((text) => text.includes("together"));
    expect(written).toHaveLength(3);
    for (const channel of channels) expect(written.join("")).toContain(`${channel}\r\n`);
  });

  it("uses two connections to each master, however many documents", async () => {
    const driver = await open(used.url(), { options: { connectionName: "counted" } });
    for (const channel of numbered(100)) await driver.subscribe(channel);
    const owners = await masters();
    for (const node of used.cluster.nodes) {
      const expected = owners.some(({ id }) => id === node.id) ? 2 : 0;
      await vi.waitUntil(async () => (await clientsOf(node, "counted")) === expected);
    }
    await driver.driver.close();
    for (const node of used.cluster.nodes) {
      await vi.waitUntil(async () => (await clientsOf(node, "counted")) === 0);
    }
  });

  it("delivers nothing of a document that was given up", async () => {
    const driver = await open();
    const given = `${PREFIX}{same}given`;
    const kept = `${PREFIX}{same}kept`;
    const unsubscribe = await driver.subscribe(given);
    await driver.subscribe(kept);
    await unsubscribe();
    await driver.publish(given, "late");
    await driver.publish(kept, "fence");
    await driver.heard(kept, "fence");
    expect(driver.texts(given)).toEqual([]);
    const owner = await used.cluster.ownerOf(keySlot(given));
    expect(await owner.command("PUBSUB", "SHARDCHANNELS", `${PREFIX}{same}*`)).toEqual([kept]);
  });

  it("leaves a Cluster that was handed in open, and is not slowed by what it queues", async () => {
    const client = new Cluster([{ host: "127.0.0.1", port: used.cluster.nodes[1]?.port ?? 0 }]);
    await client.ping();
    const factory = await createRedisServerSyncTransportFactory(
      { connection: client },
      undefined,
      silentLogger,
    );
    expect(factory.status).toBe("connected");
    const other = await createRedisServerSyncTransportFactory(
      { connection: used.url() },
      undefined,
      silentLogger,
    );
    const from = (await factory.createTransport("handed-in")).writable.getWriter();
    const to = (await other.createTransport("handed-in")).readable.getReader();
    const update: PeerMessage<undefined> = {
      kind: "update",
      sender: "aaaaaaaaaaaaaaaa",
      epoch: 1,
      seq: 1,
      frames: [new Uint8Array([1, 2, 3])],
    };
    await from.write(update);
    expect((await to.read()).value).toMatchObject(update);
    await Promise.all([factory.close(), other.close()]);
    expect(await client.ping()).toBe("PONG");
    await client.quit();
  });

  it("takes an object with `cluster`, and refuses one that names no node", async () => {
    const [{ host, port } = { host: "", port: 0 }] = used.cluster.nodes;
    const driver = await open({ cluster: [{ host, port }], connectTimeout: 1000 });
    expect(driver.states).toEqual(["up"]);
    await expect(open({ cluster: [] })).rejects.toThrow("`cluster` names no node: name one");
  });

  it("rejects what is asked of it after close, and closes in any state without a trace", async () => {
    const closing = await recordDriver({ connection: used.url() });
    const watching = await open();
    const channel = `${PREFIX}closing`;
    await closing.subscribe(channel);
    await watching.subscribe(channel);
    await closing.driver.close();
    await expect(closing.publish(channel, "late")).rejects.toThrow("publish after close");
    await expect(closing.subscribe(channel)).rejects.toThrow("subscribe after close");
    await watching.publish(channel, "fence");
    await watching.heard(channel, "fence");
    expect(closing.texts(channel)).toEqual([]);
  });
});
