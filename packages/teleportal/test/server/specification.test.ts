/** The sentences of the public API's specification, one by one, on a real Redis. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { PeerMessage } from "@teleportal/sync-core";
import { decodeEnvelope, encodeSyncStep1, silentLogger } from "@teleportal/sync-core";
import { findRedis, freePort, requireBroker, startRedis } from "@teleportal/test-brokers";
import { openLink } from "@teleportal/sync-core/conformance";
import type { RedisBroker } from "@teleportal/test-brokers";
import {
  createRedisServerSyncTransportFactory,
  createRedisServerSyncTransportFactoryFromConnectionString,
} from "teleportal/server";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { connectProvider } from "./connect-provider.ts";
import type { EditorClient } from "./connect-provider.ts";
import { startRedisInstance } from "./redis-instance.ts";

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(`the specification, on a ${redis.title}`, () => {
  let broker: RedisBroker;

  beforeAll(async () => {
    broker = await startRedis();
  });
  afterAll(() => broker.stop());

  /** Every message published on a document's channel from now on. */
  async function listen(documentId: string) {
    const subscriber = new Redis(broker.url);
    const messages: PeerMessage[] = [];
    let publishes = 0;
    subscriber.on("messageBuffer", (_channel: Buffer, bytes: Buffer) => {
      const decoded = decodeEnvelope(bytes);
      if (decoded.type !== "messages") throw new Error(`not readable: ${decoded.type}`);
      publishes += decoded.messages.some(({ kind }) => kind === "update") ? 1 : 0;
      messages.push(...decoded.messages);
    });
    await subscriber.subscribe(`teleportal:sync:${documentId}`);
    return {
      messages,
      get publishesWithUpdates() {
        return publishes;
      },
      close: () => subscriber.quit(),
    };
  }

  async function leave(...clients: EditorClient[]): Promise<void> {
    for (const client of clients) client.destroy();
  }

  it("names the channel of document doc123 teleportal:sync:doc123, and of doc456 in room1 teleportal:sync:room1/doc456", async () => {
    const monitor = await broker.monitor();
    await using a = await startRedisInstance(broker.url);
    const clients = [connectProvider(a.url, "doc123"), connectProvider(a.url, "room1/doc456")];
    await Promise.all(clients.map(({ synced }) => synced));
    for (const { text } of clients) text.insert(0, "x");
    await using b = await startRedisInstance(broker.url);
    const late = ["doc123", "room1/doc456"].map((id) => connectProvider(b.url, id));
    await Promise.all(late.map((client) => client.until((text) => text === "x")));
    await monitor.settled();
    monitor.stop();
    const channels = new Set(
      monitor.commands
        .filter(([name]) => name === "PUBLISH" || name === "SUBSCRIBE")
        .map(([, channel]) => channel),
    );
    // The third is where instances say that they are alive; no document can have NUL in its id.
    expect(channels).toEqual(
      new Set([
        "teleportal:sync:doc123",
        "teleportal:sync:room1/doc456",
        "teleportal:sync:\\x00instances",
      ]),
    );
    await leave(...clients, ...late);
  });

  it("keeps deployments with different prefixes apart", async () => {
    await using a = await startRedisInstance(broker.url, { keyPrefix: "one:" });
    await using b = await startRedisInstance(broker.url, { keyPrefix: "two:" });
    await using c = await startRedisInstance(broker.url, { keyPrefix: "two:" });
    const [alice, bob, carol] = [a, b, c].map(({ url }) => connectProvider(url, "doc")) as [
      EditorClient,
      EditorClient,
      EditorClient,
    ];
    await Promise.all([alice.synced, bob.synced, carol.synced]);
    alice.text.insert(0, "one");
    bob.text.insert(0, "two");
    await carol.until((text) => text === "two");
    expect(alice.text.toString()).toBe("one");
    await leave(alice, bob, carol);
  });

  it("gives the typist's edit to everybody but the typist", async () => {
    const documentId = randomUUID();
    await using a = await startRedisInstance(broker.url);
    await using b = await startRedisInstance(broker.url);
    const alice = connectProvider(a.url, documentId);
    const bob = connectProvider(b.url, documentId);
    await Promise.all([alice.synced, bob.synced]);
    const received: unknown[] = [];
    alice.doc.on("update", (_update, origin) => {
      if (origin === alice.provider) received.push(alice.text.toString());
    });
    alice.text.insert(0, "mine");
    await bob.until((text) => text === "mine");
    // The fence: whatever came back to Alice came before Bob's answer to it.
    bob.text.insert(4, "!");
    await alice.until((text) => text === "mine!");
    expect(received).toEqual(["mine!"]);
    await leave(alice, bob);
  });

  it("uses separate connections to publish and to subscribe: two an instance, however many documents", async () => {
    const names = async () =>
      String(await broker.command("CLIENT", "LIST"))
        .trim()
        .split("\n")
        .filter((line) => !line.includes("cmd=client"));
    const before = (await names()).length;
    await using a = await startRedisInstance(broker.url);
    const clients = Array.from({ length: 30 }, (_, i) => connectProvider(a.url, `doc${i}`));
    await Promise.all(clients.map(({ synced }) => synced));
    for (const { text } of clients) text.insert(0, "x");
    const lines = await names();
    expect(lines.length - before).toBe(2);
    expect(lines.filter((line) => / sub=31 /.test(line))).toHaveLength(1);
    await leave(...clients);
  });

  it.each([2, 3, 5])(
    "publishes exactly one message for each edit, with %i instances",
    async (count) => {
      const documentId = randomUUID();
      const instances = await Promise.all(
        Array.from({ length: count }, () => startRedisInstance(broker.url)),
      );
      const clients = instances.map(({ url }) => connectProvider(url, documentId));
      await Promise.all(clients.map(({ synced }) => synced));
      const channel = await listen(documentId);
      let text = "";
      for (let i = 0; i < 30; i++) {
        const typist = clients[i % count];
        typist?.text.insert(typist.text.length, "x");
        text += "x";
        await Promise.all(clients.map((client) => client.until((now) => now === text)));
      }
      const updates = channel.messages.filter(({ kind }) => kind === "update");
      expect(updates).toHaveLength(30);
      expect(channel.publishesWithUpdates).toBe(30);
      // Each instance has published what its own client typed, and nothing else.
      for (const sender of new Set(updates.map((update) => update.sender))) {
        expect(updates.filter((update) => update.sender === sender)).toHaveLength(30 / count);
      }
      await channel.close();
      await leave(...clients);
      await Promise.all(instances.map((instance) => instance.close()));
    },
  );

  it("carries on the broker the very frames that clients and servers exchange", async () => {
    const documentId = randomUUID();
    await using a = await startRedisInstance(broker.url);
    const bystander = new WebSocket(`${a.url}/${documentId}`);
    const frames: Uint8Array[] = [];
    bystander.on("message", (data: Buffer) => frames.push(new Uint8Array(data)));
    await once(bystander, "open");
    // What others type comes behind the document, for which a client asks.
    bystander.send(encodeSyncStep1(new Uint8Array([0])));
    const alice = connectProvider(a.url, documentId);
    await alice.synced;
    const channel = await listen(documentId);
    await using b = await startRedisInstance(broker.url);
    const bob = connectProvider(b.url, documentId);
    alice.text.insert(0, "hello");
    await bob.until((text) => text === "hello");
    const [update] = channel.messages.filter(({ kind }) => kind === "update");
    expect(update?.frames).toHaveLength(1);
    expect(frames.map((frame) => Buffer.from(frame).toString("hex"))).toContain(
      Buffer.from(update?.frames[0] ?? []).toString("hex"),
    );
    await channel.close();
    bystander.close();
    await leave(alice, bob);
  });

  it("goes on when publishing or subscribing fails, and says so once", async () => {
    await using own = await startRedis();
    await own.command(
      "ACL",
      "SETUSER",
      "mute",
      "on",
      ">pw",
      "+@all",
      "-publish",
      "-subscribe",
      "~*",
      "&*",
    );
    const lines: string[] = [];
    const warn = (line: string): void => void lines.push(line);
    await using a = await startRedisInstance(`redis://mute:pw@127.0.0.1:${own.port}`, {
      logger: { ...silentLogger, warn, error: warn },
    });
    const alice = connectProvider(a.url, "doc");
    const bob = connectProvider(a.url, "doc");
    await Promise.all([alice.synced, bob.synced]);
    for (let i = 0; i < 10; i++) alice.text.insert(0, "x");
    await bob.until((text) => text === "x".repeat(10));
    expect(lines).toEqual([expect.stringMatching(/subscribe on .* failed .*NOPERM/)]);
    await leave(alice, bob);
  });

  it("cleans a transport up when its document is destroyed", async () => {
    const documentId = randomUUID();
    await using a = await startRedisInstance(broker.url);
    const alice = connectProvider(a.url, documentId);
    await alice.synced;
    const channels = () => broker.command("PUBSUB", "NUMSUB", `teleportal:sync:${documentId}`);
    expect(await channels()).toEqual([`teleportal:sync:${documentId}`, 1]);
    const monitor = await broker.monitor();
    alice.destroy();
    // Its own goodbye is the last thing published before the subscription is given up.
    await expect
      .poll(async () => {
        await monitor.settled();
        return monitor.commands.filter(([name]) => name === "UNSUBSCRIBE").length;
      })
      .toBe(1);
    monitor.stop();
    expect(await channels()).toEqual([`teleportal:sync:${documentId}`, 0]);
    expect(a.server.size).toEqual({ documents: 0, connections: 0 });
  });

  it("ends all transports and both connections with close(), however often it is called", async () => {
    await using own = await startRedis();
    const a = await startRedisInstance(own.url);
    const clients = [connectProvider(a.url, "doc1"), connectProvider(a.url, "doc2")];
    await Promise.all(clients.map(({ synced }) => synced));
    await Promise.all([a.factory.close(), a.factory.close()]);
    await a.factory.close();
    expect(await own.command("PUBSUB", "CHANNELS")).toEqual([]);
    expect(
      String(await own.command("CLIENT", "LIST"))
        .trim()
        .split("\n"),
    ).toHaveLength(1);
    await leave(...clients);
    await a.close();
  });

  it("takes a connection object with ioredis options, or a URL, from teleportal/server", async () => {
    const fromObject = await createRedisServerSyncTransportFactory(
      {
        connection: { host: "localhost", port: broker.port, db: 0 },
        keyPrefix: "your-app:sync:",
        options: { retryDelayOnFailover: 100, enableOfflineQueue: false },
      },
      {},
      silentLogger,
    );
    const fromUrl = await createRedisServerSyncTransportFactoryFromConnectionString(
      broker.url,
      {},
      silentLogger,
      { keyPrefix: "teleportal:sync:" },
    );
    expect([fromObject.status, fromUrl.status]).toEqual(["connected", "connected"]);
    await Promise.all([fromObject.close(), fromUrl.close()]);
  });

  it("serves local clients while Redis is away, and catches up by itself when it appears", async () => {
    const port = await freePort();
    const lines: string[] = [];
    const keep = (line: string): void => void lines.push(line);
    await using a = await startRedisInstance(`redis://127.0.0.1:${port}`, {
      logger: { ...silentLogger, info: keep, warn: keep, error: keep },
    });
    await using b = await startRedisInstance(`redis://127.0.0.1:${port}`);
    const alice = connectProvider(a.url, "doc");
    const anna = connectProvider(a.url, "doc");
    const bob = connectProvider(b.url, "doc");
    await Promise.all([alice.synced, anna.synced, bob.synced]);
    alice.text.insert(0, "from A. ");
    await anna.until((text) => text === "from A. ");
    bob.text.insert(0, "from B. ");
    // Typing has stopped: nothing but the broker's appearance can bring them together.
    await using _late = await startRedis({ port });
    const both = (text: string): boolean => text.includes("from A. ") && text.includes("from B. ");
    await Promise.all([alice, anna, bob].map((client) => client.until(both)));
    expect(alice.text.toString()).toBe(bob.text.toString());
    expect(lines).toEqual([
      expect.stringContaining("the broker cannot be reached"),
      "[sync-redis] connected",
    ]);
    await leave(alice, anna, bob);
  });

  it("catches up on both sides after an outage in which both sides typed", async () => {
    await using own = await startRedis();
    await using link = await openLink(own);
    await using a = await startRedisInstance(`redis://127.0.0.1:${link.port}`);
    await using b = await startRedisInstance(own.url);
    const alice = connectProvider(a.url, "doc");
    const bob = connectProvider(b.url, "doc");
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "before. ");
    await bob.until((text) => text === "before. ");
    await link.cut();
    alice.text.insert(0, "A alone. ");
    bob.text.insert(0, "B alone. ");
    bob.text.delete(bob.text.length - 3, 3);
    await link.heal();
    const both = (text: string): boolean =>
      text.includes("A alone. ") && text.includes("B alone. ") && !text.includes("before. ");
    await Promise.all([alice.until(both), bob.until(both)]);
    expect(alice.text.toString()).toBe(bob.text.toString());
    await leave(alice, bob);
  });

  it("answers a client that joins with what the peers hold, not with an empty document", async () => {
    const documentId = randomUUID();
    await using a = await startRedisInstance(broker.url);
    await using b = await startRedisInstance(broker.url);
    const alice = connectProvider(a.url, documentId);
    await alice.synced;
    alice.text.insert(0, "already here");
    // Alice's instance has it once a second client of hers has it.
    const anna = connectProvider(a.url, documentId);
    await anna.until((text) => text === "already here");
    const bob = connectProvider(b.url, documentId);
    await bob.synced;
    expect(bob.text.toString()).toBe("already here");
    await leave(alice, anna, bob);
  });

  it("writes an edit to a shared storage from the instance that took it, and from no other", async () => {
    const documentId = randomUUID();
    const storage = createMemoryDocumentStorage({ shared: true });
    const writes: string[] = [];
    const spying = (name: string) => ({
      shared: true,
      load: storage.load,
      compact: storage.compact,
      append: (id: string, updates: readonly Uint8Array[]) => {
        writes.push(name);
        return storage.append(id, updates);
      },
    });
    await using a = await startRedisInstance(broker.url, { storage: spying("a") });
    await using b = await startRedisInstance(broker.url, { storage: spying("b") });
    const alice = connectProvider(a.url, documentId);
    const bob = connectProvider(b.url, documentId);
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "a");
    await bob.until((text) => text === "a");
    bob.text.insert(1, "b");
    await alice.until((text) => text === "ab");
    expect(writes).toEqual(["a", "b"]);
    await leave(alice, bob);
  });
});
