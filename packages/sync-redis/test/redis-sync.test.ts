import { Redis } from "ioredis";
import { describe, expect, it, vi } from "vitest";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { silentLogger } from "@teleportal/sync-core";
import {
  createRedisServerSyncTransportFactory,
  createRedisServerSyncTransportFactoryFromConnectionString,
} from "@teleportal/sync-redis";
import type { RedisSyncOptions } from "@teleportal/sync-redis";
import { findRedis, freePort, requireBroker, startRedis } from "@teleportal/test-brokers";
import { createLog, openTransport, reached, update, useBroker } from "@teleportal/test-transports";
import { openLink } from "@teleportal/sync-core/conformance";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

function connected(factory: SyncTransportFactory<unknown>): Promise<void> {
  return reached(factory, "connected");
}

const redis = requireBroker("Redis", findRedis());

describe.skipIf(redis.skip)(`sync-redis on a ${redis.title}`, () => {
  const used = useBroker(startRedis);
  const { keep, closeAll } = used;

  async function fromUrl(url = used.broker.url, logger: Logger = silentLogger, settings = {}) {
    return keep(
      await createRedisServerSyncTransportFactoryFromConnectionString(
        url,
        undefined,
        logger,
        settings,
      ),
    );
  }

  async function from(options: RedisSyncOptions) {
    return keep(await createRedisServerSyncTransportFactory(options, undefined, silentLogger));
  }

  it("carries messages between instances, whole and in order", async () => {
    const a = await openTransport(await fromUrl(), "doc");
    const b = await openTransport(await fromUrl(), "doc");
    for (let seq = 1; seq <= 100; seq++) await a.writer.write(update(A, seq, seq, 0, 255));
    for (let seq = 1; seq <= 100; seq++) {
      expect(await b.next()).toMatchObject(update(A, seq, seq, 0, 255));
    }
  });

  it("names channels by prefix and document id", async () => {
    const monitor = await used.broker.monitor();
    const plain = await fromUrl();
    const custom = await fromUrl(used.broker.url, silentLogger, { keyPrefix: "your-app:sync:" });
    await openTransport(plain, "doc123");
    await openTransport(plain, "room1/doc456");
    await openTransport(custom, "doc123");
    await monitor.settled();
    monitor.stop();
    const channels = monitor.commands.filter(([name]) => name === "SUBSCRIBE").map(([, c]) => c);
    expect(channels.toSorted((a = "", b = "") => (a < b ? -1 : 1))).toEqual([
      "teleportal:sync:\\x00instances",
      "teleportal:sync:doc123",
      "teleportal:sync:room1/doc456",
      "your-app:sync:\\x00instances",
      "your-app:sync:doc123",
    ]);
  });

  it("keeps apart ids that Redis patterns or other ids could confuse", async () => {
    const ids = ["a", "a/b", "a*", "a?", "[a]", "a b", "a\nb", "ä", "文档", "👩‍👩‍👧", "x".repeat(1000)];
    const left = await fromUrl();
    const right = await fromUrl();
    for (const [i, id] of ids.entries()) {
      const from = await openTransport(left, id);
      const to = await openTransport(right, id);
      await from.writer.write(update(A, i + 1, i));
      // Opened one after the other: what any earlier document's channel had leaked would come first.
      expect(await to.next()).toMatchObject({ seq: i + 1 });
    }
  });

  it("uses two connections, however many documents", async () => {
    const count = async () =>
      String(await used.broker.command("CLIENT", "LIST"))
        .trim()
        .split("\n").length;
    const before = await count();
    const factory = await fromUrl();
    for (let i = 0; i < 200; i++) await factory.createTransport(`doc${i}`);
    expect((await count()) - before).toBe(2);
    await factory.close();
    expect(await count()).toBe(before);
  });

  it("takes connection options, password and database", async () => {
    await using guarded = await startRedis({ password: "se:cr/et" });
    const { host, port } = guarded;
    for (const connection of [{ host, port, password: "se:cr/et", db: 3 }, `${guarded.url}/3`]) {
      const factory = await from({ connection, options: { connectionName: "mine" } });
      expect(factory.status).toBe("connected");
      const clients = String(await guarded.command("CLIENT", "LIST"));
      expect(clients.match(/name=mine .* db=3 /g)).toHaveLength(2);
      await factory.close();
    }
  });

  it("speaks TLS to rediss://", async () => {
    await using secure = await startRedis({ tls: true });
    const { url, ca } = secure.tls ?? { url: "", ca: "" };
    const options = { options: { tls: { ca } } };
    const a = await openTransport(await fromUrl(url, silentLogger, options), "doc");
    const b = await openTransport(await fromUrl(url, silentLogger, options), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    // Without trusting the certificate there is no connection.
    expect((await fromUrl(url)).status).toBe("degraded");
  });

  it("leaves a client that was handed in open, and closes only its own subscriber", async () => {
    const client = new Redis(used.broker.url);
    const factory = await from({ connection: client });
    const a = await openTransport(factory, "doc");
    const b = await openTransport(await fromUrl(), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    await factory.close();
    expect(await client.ping()).toBe("PONG");
    await client.quit();
  });

  it("connects, though ioredis is told or used to wait for the first command", async () => {
    const { host, port } = used.broker;
    const lazy = new Redis({ host, port, lazyConnect: true });
    for (const connection of [{ host, port, lazyConnect: true }, lazy]) {
      const factory = await from({ connection, options: { lazyConnect: true } });
      expect(factory.status).toBe("connected");
    }
    await closeAll();
    await lazy.quit();
  });

  it("refuses what cannot work, with the remedy", async () => {
    await expect(fromUrl("http://localhost")).rejects.toThrow(
      "[sync-redis] the connection string has the scheme http:: use redis://host:6379/0, or rediss:// for TLS",
    );
    await expect(fromUrl("localhost:6379/")).rejects.toThrow("use redis://");
    await expect(
      fromUrl(used.broker.url, silentLogger, { options: { enableOfflineQueue: true } }),
    ).rejects.toThrow("would grow without bound");
    const connection = { host: used.broker.host, port: used.broker.port, enableOfflineQueue: true };
    await expect(from({ connection })).rejects.toThrow("would grow without bound");
  });

  it("that is away at the start is no reason to wait, and is connected to when it comes", async () => {
    const port = await freePort();
    const { lines, logger } = createLog();
    const factory = await fromUrl(`redis://127.0.0.1:${port}`, logger);
    expect(factory.status).toBe("degraded");
    const document = await openTransport(factory, "doc");
    expect(await document.next()).toEqual({ kind: "down" });
    expect(lines).toEqual([
      expect.stringMatching(
        /^\[sync-redis\] the broker cannot be reached \(.*ECONNREFUSED.*\): local/,
      ),
    ]);
    await using late = await startRedis({ port });
    expect(await document.next()).toEqual({ kind: "up" });
    const other = await openTransport(await fromUrl(late.url), "doc");
    await other.writer.write(update(B, 1, 1));
    expect(await document.next()).toMatchObject({ sender: B });
    expect(lines.slice(1)).toEqual(["[sync-redis] connected"]);
  });

  it("that refuses the password is degraded with one line that says why, until it is accepted", async () => {
    await using guarded = await startRedis({ password: "right" });
    const { lines, logger } = createLog();
    const factory = await fromUrl(`redis://:wrong@127.0.0.1:${guarded.port}`, logger);
    expect(factory.status).toBe("degraded");
    await guarded.command("CONFIG", "SET", "requirepass", "wrong");
    await connected(factory);
    expect(lines).toEqual([
      expect.stringMatching(/^\[sync-redis\] the broker cannot be reached \(.*WRONGPASS.*\)/),
      "[sync-redis] connected",
    ]);
  });

  it("that goes and comes back has every subscription again before it is called connected", async () => {
    await using own = await startRedis();
    await using link = await openLink(own);
    const factory = await fromUrl(`redis://127.0.0.1:${link.port}`);
    const documents = await Promise.all(
      Array.from({ length: 1200 }, (_, i) => openTransport(factory, `doc${i}`)),
    );
    await link.cut();
    await reached(factory, "degraded");
    await link.heal();
    await connected(factory);
    const channels = await own.command("PUBSUB", "CHANNELS", "teleportal:sync:doc*");
    expect(channels).toHaveLength(1200);
    for (const { next } of documents.slice(0, 3)) {
      expect([await next(), await next()]).toEqual([{ kind: "down" }, { kind: "up" }]);
    }
  });

  it("gives up a subscription that was closed while it was away", async () => {
    await using own = await startRedis();
    const factory = await fromUrl(own.url);
    const closing = await openTransport(factory, "closing");
    await openTransport(factory, "staying");
    await own.kill();
    await reached(factory, "degraded");
    await closing.writer.close();
    await own.restart();
    await connected(factory);
    expect(await own.command("PUBSUB", "CHANNELS", "*ing")).toEqual(["teleportal:sync:staying"]);
  });

  it("whose client throws instead of rejecting loses what was published, and says so", async () => {
    const client = new Redis(used.broker.url);
    const factory = await from({ connection: client });
    const sending = await openTransport(factory, "doc");
    const receiving = await openTransport(await fromUrl(), "doc");
    vi.spyOn(client, "publish").mockImplementationOnce(() => {
      throw new Error("not written");
    });
    await sending.writer.write(update(A, 1, 1));
    expect(await sending.next()).toEqual({ kind: "lost", direction: "out" });
    await sending.writer.write(update(A, 2, 2));
    expect(await receiving.next()).toMatchObject({ seq: 2 });
    await factory.close();
    await client.quit();
  });

  it("that may not be published to is logged once and stops nothing", async () => {
    await using own = await startRedis();
    const { lines, logger } = createLog();
    const { port } = own;
    await own.command("ACL", "SETUSER", "reader", "on", ">pw", "+@all", "-publish", "&*", "~*");
    const factory = await fromUrl(`redis://reader:pw@127.0.0.1:${port}`, logger);
    const reader = await openTransport(factory, "doc");
    const writer = await openTransport(await fromUrl(own.url), "doc");
    for (let seq = 1; seq <= 3; seq++) {
      await reader.writer.write(update(A, seq, seq));
      expect(await reader.next()).toEqual({ kind: "lost", direction: "out" });
    }
    await writer.writer.write(update(B, 1, 1));
    expect(await reader.next()).toMatchObject({ sender: B });
    expect(lines.filter((line) => line.includes("publish"))).toHaveLength(1);
  });

  it("that refuses a channel it has granted before is asked again every second, not all the time", async () => {
    await using own = await startRedis();
    const connections = async () =>
      Number(
        /total_connections_received:(\d+)/.exec(String(await own.command("INFO", "stats")))?.[1],
      );
    await own.command("ACL", "SETUSER", "app", "on", ">pw", "+@all", "&*", "~*");
    const factory = await fromUrl(`redis://app:pw@127.0.0.1:${own.port}`);
    const document = await openTransport(factory, "doc");
    const other = await openTransport(await fromUrl(own.url), "doc");
    // Redis ends the connections whose subscriptions are no longer allowed.
    await own.command("ACL", "SETUSER", "app", "resetchannels", "&elsewhere:*");
    await reached(factory, "degraded");
    const before = await connections();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    // Two asked here, and one connection that was replaced: a connection for each attempt would be many more.
    expect((await connections()) - before).toBeLessThan(6);
    await own.command("ACL", "SETUSER", "app", "&*");
    await reached(factory, "connected");
    await other.writer.write(update(B, 1, 1));
    for (;;) if ("sender" in (await document.next())) break;
  });

  it("that may not be subscribed to is logged once, and tried again", async () => {
    await using own = await startRedis();
    const { lines, logger } = createLog();
    await own.command("ACL", "SETUSER", "writer", "on", ">pw", "+@all", "resetchannels", "~*");
    const factory = await fromUrl(`redis://writer:pw@127.0.0.1:${own.port}`, logger);
    const document = await openTransport(factory, "doc");
    expect(await document.next()).toEqual({ kind: "down" });
    await own.command("ACL", "SETUSER", "writer", "&*");
    expect(await document.next()).toEqual({ kind: "up" });
    expect(lines.filter((line) => line.includes("subscribe"))).toEqual([
      expect.stringMatching(/subscribe on .* failed .*NOPERM/),
      "[sync-redis] subscribe works again",
    ]);
  });

  it("that takes connections and says nothing is connected to anew, and when it answers that is seen", async () => {
    await using link = await openLink({ host: "127.0.0.1", port: used.broker.port });
    await link.darken();
    const factory = await fromUrl(`redis://127.0.0.1:${link.port}`);
    expect(factory.status).toBe("degraded");
    // The connections that are waiting now stay dark.
    await link.heal();
    await connected(factory);
    const a = await openTransport(factory, "doc");
    const b = await openTransport(await fromUrl(), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject(update(A, 1, 1));
  });

  it("closes as often as it is asked to, also while it cannot connect", async () => {
    const connectedFactory = await fromUrl();
    await openTransport(connectedFactory, "doc");
    const away = await fromUrl(`redis://127.0.0.1:${await freePort()}`);
    await openTransport(away, "doc");
    for (const factory of [connectedFactory, away]) {
      await Promise.all([factory.close(), factory.close()]);
      await factory.close();
      expect(factory.status).toBe("closed");
    }
  });
});
