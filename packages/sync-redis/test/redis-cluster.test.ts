import { Socket } from "node:net";
import { Cluster } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { silentLogger } from "@teleportal/sync-core";
import type { PeerMessage } from "@teleportal/sync-core";
import { createRedisServerSyncTransportFactory } from "@teleportal/sync-redis";
import { findRedis, requireBroker, startRedisCluster } from "@teleportal/test-brokers";
import { openLink } from "@teleportal/sync-core/conformance";
import type { RedisCluster, RedisClusterNode } from "@teleportal/test-brokers";
import type { Link } from "@teleportal/sync-core/conformance";
import { keySlot } from "../src/key-slot.ts";
import { recordDriver } from "./driver-recorder.ts";
import type { RecordedDriver } from "./driver-recorder.ts";

const PREFIX = "teleportal:sync:";
const redis = requireBroker("Redis", findRedis());

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${PREFIX}doc${i}`);
}

describe.skipIf(redis.skip)(`sync-redis on a cluster of ${redis.title}`, () => {
  let cluster: RedisCluster;
  const drivers: RecordedDriver[] = [];

  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 1 });
  });
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map(({ driver }) => driver.close()));
  });
  afterAll(() => cluster.stop());

  async function open(
    connection: Parameters<typeof recordDriver>[0]["connection"] = urlOf(cluster),
    settings: Omit<Parameters<typeof recordDriver>[0], "connection"> = {},
  ): Promise<RecordedDriver> {
    const recorded = await recordDriver({ connection, ...settings });
    drivers.push(recorded);
    return recorded;
  }

  function urlOf({ nodes }: Pick<RedisCluster, "nodes">): string {
    const [first, second] = nodes;
    return `redis+cluster://127.0.0.1:${first?.port},127.0.0.1:${second?.port}`;
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
      expect([name, keySlot(name)]).toEqual([name, await cluster.slotOf(name)]);
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
    const monitors = await Promise.all(cluster.nodes.map((node) => node.monitor()));
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
    const driver = await open(urlOf(cluster), { options: { connectionName: "counted" } });
    for (const channel of numbered(100)) await driver.subscribe(channel);
    const owners = await masters();
    for (const node of cluster.nodes) {
      const expected = owners.some(({ id }) => id === node.id) ? 2 : 0;
      await vi.waitUntil(async () => (await clientsOf(node, "counted")) === expected);
    }
    await driver.driver.close();
    for (const node of cluster.nodes) {
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
    const owner = await cluster.ownerOf(keySlot(given));
    expect(await owner.command("PUBSUB", "SHARDCHANNELS", `${PREFIX}{same}*`)).toEqual([kept]);
  });

  it("follows a slot that moves, with every document of it and of the others live when it says so", async () => {
    const sender = await open();
    // It does not look by itself, and learns of the move from Redis's ending the subscription.
    const receiver = await open(urlOf(cluster), { heartbeat: { interval: 60_000 } });
    const channels = [...numbered(40), `${PREFIX}{doc7}second`];
    for (const driver of [sender, receiver]) {
      for (const channel of channels) await driver.subscribe(channel);
    }
    const moving = `${PREFIX}doc7`;
    const slot = keySlot(moving);
    const from = await cluster.ownerOf(slot);
    const to = (await masters()).find(({ id }) => id !== from.id);
    if (to === undefined) throw new Error("there is one master");
    const traffic = new AbortController();
    const flow = (async () => {
      // What fails or is lost meanwhile is what the layer above repairs.
      for (let i = 0; !traffic.signal.aborted; i++) {
        await Promise.all(
          channels.map((channel) => sender.publish(channel, `flow${i}`).catch(() => {})),
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const there = interruptionOf(sender, receiver);
    await cluster.moveSlot(slot, to);
    await there;
    traffic.abort();
    await flow;
    await allLive([sender, receiver], channels, "after the move");
    const back = interruptionOf(sender, receiver);
    await cluster.moveSlot(slot, from);
    await back;
    await allLive([sender, receiver], channels, "after the way back");
  });

  it("subscribes where the slot is when it moved since the slots were last looked at", async () => {
    const driver = await open(urlOf(cluster), { heartbeat: { interval: 60_000 } });
    const channel = `${PREFIX}latecomer`;
    const from = await cluster.ownerOf(keySlot(channel));
    const to = (await masters()).find(({ id }) => id !== from.id);
    if (to === undefined) throw new Error("there is one master");
    await cluster.moveSlot(keySlot(channel), to);
    await driver.subscribe(channel);
    await driver.publish(channel, "here");
    await driver.heard(channel, "here");
    await cluster.moveSlot(keySlot(channel), from);
  });

  it("a graceful failover interrupts for a moment and loses no subscription", async () => {
    const sender = await open();
    const receiver = await open();
    const channels = numbered(40);
    for (const driver of [sender, receiver]) {
      for (const channel of channels) await driver.subscribe(channel);
    }
    const interruption = interruptionOf(sender, receiver);
    await cluster.failover(await cluster.ownerOf(0), "graceful");
    await interruption;
    await allLive([sender, receiver], channels, "after the failover");
  });

  it("a master that is killed is followed to its replica", async () => {
    const sender = await open();
    const receiver = await open();
    const channels = numbered(40);
    for (const driver of [sender, receiver]) {
      for (const channel of channels) await driver.subscribe(channel);
    }
    const master = await cluster.ownerOf(0);
    const interruption = interruptionOf(sender, receiver);
    const failover = cluster.failover(master, "kill");
    await Promise.all([sender.said("down"), receiver.said("down")]);
    await expect(sender.publish(channels[0] ?? "", "meanwhile")).rejects.toThrow(
      "publish without a connection",
    );
    await failover;
    await interruption;
    await allLive([sender, receiver], channels, "after the kill");
    await master.restart();
    await cluster.settled();
    await allLive([sender, receiver], channels, "with the old master back as a replica");
  });

  it("a master that is killed hurts no document of the other masters", async () => {
    const [first, second] = await masters();
    if (first === undefined || second === undefined) throw new Error("there are too few masters");
    const driver = await open();
    const channels = await channelsOf(first, numbered(60));
    for (const channel of channels) await driver.subscribe(channel);
    await second.kill();
    await allLive([driver], channels, "right after the kill");
    const [orphan = ""] = await channelsOf(second, numbered(60));
    await vi.waitUntil(() =>
      driver.publish(orphan, "to nobody").then(
        () => false,
        () => true,
      ),
    );
    await vi.waitUntil(async () => (await cluster.ownerOf(keySlot(orphan))).id !== second.id, {
      timeout: 15_000,
    });
    await cluster.settled();
    await allLive([driver], channels, "after the failover");
    expect(driver.states).toEqual(["up"]);
    await second.restart();
    await cluster.settled();
  });

  it("a replica that is killed hurts nobody", async () => {
    const driver = await open();
    const channels = numbered(40);
    for (const channel of channels) await driver.subscribe(channel);
    const owners = await masters();
    const replica = cluster.nodes.find((node) => !owners.some(({ id }) => id === node.id));
    await replica?.kill();
    await allLive([driver], channels, "without a replica");
    expect(driver.states).toEqual(["up"]);
    await replica?.restart();
    await cluster.settled();
  });

  it("leaves a Cluster that was handed in open, and is not slowed by what it queues", async () => {
    const client = new Cluster([{ host: "127.0.0.1", port: cluster.nodes[1]?.port ?? 0 }]);
    await client.ping();
    const factory = await createRedisServerSyncTransportFactory(
      { connection: client },
      undefined,
      silentLogger,
    );
    expect(factory.status).toBe("connected");
    const other = await createRedisServerSyncTransportFactory(
      { connection: urlOf(cluster) },
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
    const [{ host, port } = { host: "", port: 0 }] = cluster.nodes;
    const driver = await open({ cluster: [{ host, port }], connectTimeout: 1000 });
    expect(driver.states).toEqual(["up"]);
    await expect(open({ cluster: [] })).rejects.toThrow("`cluster` names no node: name one");
  });

  it("rejects what is asked of it after close, and closes in any state without a trace", async () => {
    const closing = await recordDriver({ connection: urlOf(cluster) });
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

  describe("behind links", () => {
    const links = new Map<string, Link>();

    beforeAll(async () => {
      for (const node of cluster.nodes)
        links.set(`${node.host}:${node.port}`, await openLink(node));
    });
    afterAll(() => Promise.all([...links.values()].map((link) => link.close())));

    function throughLinks() {
      const [first] = links.values();
      return {
        cluster: [{ host: "127.0.0.1", port: first?.port ?? 0 }],
        natMap: (address: string) => links.get(address) ?? null,
      };
    }

    function linkTo({ host, port }: RedisClusterNode): Link {
      const link = links.get(`${host}:${port}`);
      if (link === undefined) throw new Error("there is no link to that node");
      return link;
    }

    it("finds the connections to one node dead, though nothing closes and no document is edited", async () => {
      const driver = await open(throughLinks(), { heartbeat: { interval: 100, deadline: 300 } });
      const channels = numbered(40);
      for (const channel of channels) await driver.subscribe(channel);
      for (const master of await masters()) {
        const interruption = interruptionOf(driver);
        const before = driver.states.length;
        await linkTo(master).darken();
        await driver.said("down", before);
        await linkTo(master).heal();
        await interruption;
        await allLive([driver], channels, `after ${master.port} was dark`);
      }
    });

    it("connects anew when nothing comes back", async () => {
      const driver = await open(throughLinks());
      const channels = numbered(40);
      for (const channel of channels) await driver.subscribe(channel);
      const interruption = interruptionOf(driver);
      driver.driver.reconnect?.();
      expect(driver.states.at(-1)).toBe("down");
      await interruption;
      await allLive([driver], channels, "over new connections");
    });

    it("that is away at the start is no reason to wait, and is connected to when it comes", async () => {
      for (const link of links.values()) await link.cut();
      const driver = await open(throughLinks());
      expect(driver.states).toEqual(["down"]);
      expect(String(driver.cause)).toMatch(/no node of the cluster answers \(.*ECONNREFUSED/);
      await expect(driver.subscribe("early")).rejects.toThrow("subscribe without a connection");
      for (const link of links.values()) await link.heal();
      await driver.said("up");
      await driver.subscribe("early");
      await allLive([driver], ["early"], "after its coming");
    });

    it("closes while it is away, and while it is dark", async () => {
      for (const fault of ["cut", "darken"] as const) {
        const driver = await open(throughLinks());
        await driver.subscribe(`${PREFIX}closing`);
        const away = await (async () => {
          for (const link of links.values()) await link[fault]();
          return open(throughLinks());
        })();
        await Promise.all([driver.driver.close(), away.driver.close()]);
        drivers.splice(0);
        for (const link of links.values()) await link.heal();
      }
    });
  });
});
