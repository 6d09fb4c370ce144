import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findRedis, requireBroker } from "@teleportal/test-brokers";
import { openLink } from "@teleportal/sync-core/conformance";
import type { RedisClusterNode } from "@teleportal/test-brokers";
import type { Link } from "@teleportal/sync-core/conformance";
import { keySlot } from "../src/key-slot.ts";
import { recordDriver } from "./driver-recorder.ts";
import { numbered, PREFIX, useRedisCluster } from "./use-redis-cluster.ts";

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(`sync-redis while a cluster of ${redis.title} changes or fails`, () => {
  const used = useRedisCluster();
  const { open, masters, channelsOf, interruptionOf, allLive } = used;

  it("follows a slot that moves, with every document of it and of the others live when it says so", async () => {
    const sender = await open();
    // It does not look by itself, and learns of the move from Redis's ending the subscription.
    const receiver = await open(used.url(), { heartbeat: { interval: 60_000 } });
    const channels = [...numbered(40), `${PREFIX}{doc7}second`];
    for (const driver of [sender, receiver]) {
      for (const channel of channels) await driver.subscribe(channel);
    }
    const moving = `${PREFIX}doc7`;
    const slot = keySlot(moving);
    const from = await used.cluster.ownerOf(slot);
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
    await used.cluster.moveSlot(slot, to);
    await there;
    traffic.abort();
    await flow;
    await allLive([sender, receiver], channels, "after the move");
    const back = interruptionOf(sender, receiver);
    await used.cluster.moveSlot(slot, from);
    await back;
    await allLive([sender, receiver], channels, "after the way back");
  });

  it("subscribes where the slot is when it moved since the slots were last looked at", async () => {
    const driver = await open(used.url(), { heartbeat: { interval: 60_000 } });
    const channel = `${PREFIX}latecomer`;
    const from = await used.cluster.ownerOf(keySlot(channel));
    const to = (await masters()).find(({ id }) => id !== from.id);
    if (to === undefined) throw new Error("there is one master");
    await used.cluster.moveSlot(keySlot(channel), to);
    await driver.subscribe(channel);
    await driver.publish(channel, "here");
    await driver.heard(channel, "here");
    await used.cluster.moveSlot(keySlot(channel), from);
  });

  it("a graceful failover interrupts for a moment and loses no subscription", async () => {
    const sender = await open();
    const receiver = await open();
    const channels = numbered(40);
    for (const driver of [sender, receiver]) {
      for (const channel of channels) await driver.subscribe(channel);
    }
    const interruption = interruptionOf(sender, receiver);
    await used.cluster.failover(await used.cluster.ownerOf(0), "graceful");
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
    const master = await used.cluster.ownerOf(0);
    const interruption = interruptionOf(sender, receiver);
    const failover = used.cluster.failover(master, "kill");
    await Promise.all([sender.said("down"), receiver.said("down")]);
    await expect(sender.publish(channels[0] ?? "", "meanwhile")).rejects.toThrow(
      "publish without a connection",
    );
    await failover;
    await interruption;
    await allLive([sender, receiver], channels, "after the kill");
    await master.restart();
    await used.cluster.settled();
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
    await vi.waitUntil(async () => (await used.cluster.ownerOf(keySlot(orphan))).id !== second.id, {
      timeout: 15_000,
    });
    await used.cluster.settled();
    await allLive([driver], channels, "after the failover");
    expect(driver.states).toEqual(["up"]);
    await second.restart();
    await used.cluster.settled();
  });

  it("a replica that is killed hurts nobody", async () => {
    const driver = await open();
    const channels = numbered(40);
    for (const channel of channels) await driver.subscribe(channel);
    const owners = await masters();
    const replica = used.cluster.nodes.find((node) => !owners.some(({ id }) => id === node.id));
    await replica?.kill();
    await allLive([driver], channels, "without a replica");
    expect(driver.states).toEqual(["up"]);
    await replica?.restart();
    await used.cluster.settled();
  });

  describe("behind links", () => {
    const links = new Map<string, Link>();

    beforeAll(async () => {
      for (const node of used.cluster.nodes)
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
        const driver = await recordDriver({ connection: throughLinks() });
        await driver.subscribe(`${PREFIX}closing`);
        const away = await (async () => {
          for (const link of links.values()) await link[fault]();
          return recordDriver({ connection: throughLinks() });
        })();
        await Promise.all([driver.driver.close(), away.driver.close()]);
        for (const link of links.values()) await link.heal();
      }
    });
  });
});
