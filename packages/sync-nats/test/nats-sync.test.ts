import { Buffer } from "node:buffer";
import { connect, nkeyAuthenticator, nkeys } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Logger, Message, PeerMessage, SyncTransportFactory } from "@teleportal/sync-core";
import { isPeerMessage, silentLogger } from "@teleportal/sync-core";
import {
  createNatsServerSyncTransportFactory,
  createNatsServerSyncTransportFactoryFromConnectionString,
} from "@teleportal/sync-nats";
import type { NatsSyncOptions, NatsSyncSettings } from "@teleportal/sync-nats";
import {
  findNats,
  freePort,
  requireBroker,
  startNats,
  startNatsCluster,
} from "@teleportal/test-brokers";
import { openLink } from "@teleportal/sync-core/conformance";
import type { NatsBroker } from "@teleportal/test-brokers";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

function update(sender: string, seq: number, ...bytes: number[]): PeerMessage {
  return { kind: "update", sender, epoch: 1, seq, frames: [new Uint8Array(bytes)] };
}

function createLog() {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  const logger: Logger = { trace: keep, debug: keep, info: keep, warn: keep, error: keep };
  return { lines, logger };
}

async function open(factory: SyncTransportFactory<unknown>, documentId: string) {
  const transport = await factory.createTransport(documentId);
  const reader = transport.readable.getReader();
  return {
    writer: transport.writable.getWriter(),
    async next(): Promise<Message> {
      const { value, done } = await reader.read();
      if (done) throw new Error("the transport has ended");
      return value;
    },
  };
}

function connected(factory: SyncTransportFactory<unknown>): Promise<void> {
  return reached(factory, "connected");
}

function reached(factory: SyncTransportFactory<unknown>, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    if (factory.status === wanted) return resolve();
    const off = factory.onStatus((status) => {
      if (status !== wanted) return;
      off();
      resolve();
    });
  });
}

const nats = requireBroker("NATS", findNats());

describe.skipIf(nats.skip)(`sync-nats on a ${nats.title}`, () => {
  let broker: NatsBroker;
  const factories: SyncTransportFactory<unknown>[] = [];

  beforeAll(async () => {
    broker = await startNats();
  });
  afterEach(async () => {
    await Promise.all(factories.splice(0).map((factory) => factory.close()));
  });
  afterAll(() => broker.stop());

  function keep<Context>(factory: SyncTransportFactory<Context>): SyncTransportFactory<Context> {
    factories.push(factory);
    return factory;
  }

  async function fromUrl(
    url = broker.url,
    logger: Logger = silentLogger,
    settings: NatsSyncSettings = {},
  ) {
    return keep(
      await createNatsServerSyncTransportFactoryFromConnectionString(
        url,
        undefined,
        logger,
        settings,
      ),
    );
  }

  async function from(
    connection: NatsSyncOptions["connection"],
    settings: NatsSyncSettings = {},
    logger: Logger = silentLogger,
  ) {
    return keep(
      await createNatsServerSyncTransportFactory({ connection, ...settings }, undefined, logger),
    );
  }

  it("carries messages between instances, whole and in order", async () => {
    const a = await open(await fromUrl(), "doc");
    const b = await open(await fromUrl(), "doc");
    for (let seq = 1; seq <= 100; seq++) await a.writer.write(update(A, seq, seq, 0, 255));
    for (let seq = 1; seq <= 100; seq++) {
      expect(await b.next()).toMatchObject(update(A, seq, seq, 0, 255));
    }
  });

  it("does not get its own messages back", async () => {
    const factory = await fromUrl();
    const a = await open(factory, "doc");
    const b = await open(await fromUrl(), "doc");
    await a.writer.write(update(A, 1, 1));
    await b.next();
    await b.writer.write(update(B, 1, 1));
    expect(await a.next()).toMatchObject({ sender: B });
    expect(factory.metrics.echoes).toBe(0);
  });

  it("names subjects by prefix and document id", async () => {
    await using own = await startNats();
    const plain = await fromUrl(own.url);
    const custom = await fromUrl(own.url, silentLogger, { keyPrefix: "your-app.sync." });
    await open(plain, "doc123");
    await open(plain, "room1/doc456");
    await open(custom, "doc123");
    expect(await own.subjects()).toEqual([
      "teleportal:sync:%00instances",
      "teleportal:sync:doc123",
      "teleportal:sync:room1/doc456",
      "your-app.sync.%00instances",
      "your-app.sync.doc123",
    ]);
  });

  it("keeps apart ids that subjects, wildcards or other ids could confuse", async () => {
    const ids = [
      "a",
      "a/b",
      "a.b",
      ".",
      "a..",
      "*",
      ">",
      "a.>",
      "$SYS",
      "a b",
      "a\nb",
      "ä",
      "文档",
    ];
    ids.push("👩‍👩‍👧", "a%2Eb", "x".repeat(4096), `${"x".repeat(4095)}y`, "文".repeat(4096));
    const left = await fromUrl();
    const right = await fromUrl();
    for (const [i, id] of ids.entries()) {
      const from = await open(left, id);
      const to = await open(right, id);
      await from.writer.write(update(A, i + 1, i));
      // Opened one after the other: what any earlier document's channel had leaked would come first.
      expect(await to.next()).toMatchObject({ seq: i + 1 });
    }
  });

  it("uses one connection, however many documents", async () => {
    await using own = await startNats();
    const factory = await fromUrl(own.url);
    for (let i = 0; i < 200; i++) await factory.createTransport(`doc${i}`);
    expect(await own.connections()).toBe(1);
    await factory.close();
    await expect.poll(() => own.connections()).toBe(0);
  });

  it("takes user and password, from the URL or beside it", async () => {
    await using guarded = await startNats({ users: [{ user: "me", password: "1:2@3/4,5 ü" }] });
    const server = `127.0.0.1:${guarded.port}`;
    const beside = { user: "me", pass: "1:2@3/4,5 ü" };
    for (const factory of [
      await fromUrl(guarded.url),
      await fromUrl(`${guarded.url},${server}`),
      await from([`nats://${server}`, server], { options: beside }),
      await from({ servers: server, name: "mine", ...beside }),
    ]) {
      expect(factory.status).toBe("connected");
    }
    const { connections } = await guarded.monitor("/connz");
    expect(connections).toContainEqual(expect.objectContaining({ name: "mine" }));
  });

  it("takes a token, from the URL or beside it", async () => {
    await using guarded = await startNats({ token: "to/k@en" });
    expect((await fromUrl(guarded.url)).status).toBe("connected");
    const connection = `127.0.0.1:${guarded.port}`;
    expect((await from(connection, { options: { token: "to/k@en" } })).status).toBe("connected");
  });

  it("takes an authenticator, such as for an NKey", async () => {
    const pair = nkeys.createUser();
    await using guarded = await startNats({ users: [{ nkey: pair.getPublicKey() }] });
    const authenticator = nkeyAuthenticator(pair.getSeed());
    expect((await fromUrl(guarded.url)).status).toBe("degraded");
    const factory = await fromUrl(guarded.url, silentLogger, { options: { authenticator } });
    expect(factory.status).toBe("connected");
  });

  it("speaks TLS to tls://, and to nobody who does not", async () => {
    await using secure = await startNats({ tls: true });
    const { ca = "" } = secure;
    const options = { options: { tls: { ca } } };
    const a = await open(await fromUrl(secure.url, silentLogger, options), "doc");
    const b = await open(await fromUrl(secure.url, silentLogger, options), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    // Without trusting the certificate there is no connection.
    expect((await fromUrl(secure.url)).status).toBe("degraded");
    expect((await fromUrl(broker.url.replace("nats:", "tls:"))).status).toBe("degraded");
  });

  it("leaves a connection that was handed in open, and ends only its own subscriptions", async () => {
    await using own = await startNats();
    const connection = await connect({ servers: own.url, noEcho: true });
    connection.subscribe("theirs", { callback() {} });
    const factory = await from(connection);
    const a = await open(factory, "doc");
    const b = await open(await fromUrl(own.url, silentLogger), "doc");
    await a.writer.write(update(A, 1, 1));
    expect(await b.next()).toMatchObject({ seq: 1 });
    await b.writer.write(update(B, 1, 1));
    expect(await a.next()).toMatchObject({ sender: B });
    expect(factory.metrics.echoes).toBe(0);
    await Promise.all(factories.splice(0).map((factory) => factory.close()));
    await connection.flush();
    expect(await own.subjects()).toEqual(["theirs"]);
    await connection.close();
  });

  it("tells its own messages on a connection that was handed in without `noEcho`", async () => {
    const connection = await connect({ servers: broker.url });
    const factory = await from(connection);
    const a = await open(factory, "doc");
    const b = await open(await fromUrl(), "doc");
    await a.writer.write(update(A, 1, 1));
    await b.next();
    await b.writer.write(update(B, 1, 1));
    expect(await a.next()).toMatchObject({ sender: B });
    expect(factory.metrics.echoes).toBeGreaterThan(0);
    await factory.close();
    await connection.close();
  });

  it("follows a connection that was handed in through an interruption, and to its end", async () => {
    await using own = await startNats();
    const options = { servers: own.url, noEcho: true, maxReconnectAttempts: -1 };
    const connection = await connect({ ...options, reconnectTimeWait: 50 });
    const factory = await from(connection);
    const document = await open(factory, "doc");
    await own.kill();
    expect(await document.next()).toEqual({ kind: "down" });
    await own.restart();
    expect(await document.next()).toEqual({ kind: "up" });
    expect(await own.subjects()).toContain("teleportal:sync:doc");
    await connection.close();
    expect(await document.next()).toEqual({ kind: "down" });
    await expect(from(connection)).rejects.toThrow("the connection handed in is closed");
  });

  it("refuses what cannot work, with the remedy, and without the password", async () => {
    await expect(fromUrl("http://localhost")).rejects.toThrow(
      "[sync-nats] the connection string has the scheme http:: use nats://host:4222, or tls://",
    );
    const broken: unknown = await fromUrl("nats://me:s3cret@host:port").catch((e: unknown) => e);
    expect(String(broken)).toContain("is not a URL: use nats://");
    expect(JSON.stringify([broken, Object(broken).cause])).not.toContain("s3cret");
    await expect(fromUrl("nats://%zz@host")).rejects.toThrow("not percent-encoded");
    await expect(fromUrl("nats://a:b@h1,nats://c:d@h2")).rejects.toThrow("use the same");
    await expect(fromUrl("")).rejects.toThrow("names no host");
    for (const options of [{ noEcho: false }, { reconnect: false }, { maxReconnectAttempts: 5 }]) {
      await expect(fromUrl(broker.url, silentLogger, { options })).rejects.toThrow("leave it out");
    }
    const connection = await connect({ servers: broker.url });
    await expect(from(connection, { options: {} })).rejects.toThrow("have no effect");
    await connection.close();
  });

  it("that is away at the start is no reason to wait, and is connected to when it comes", async () => {
    const port = await freePort();
    const { lines, logger } = createLog();
    const factory = await fromUrl(`nats://127.0.0.1:${port}`, logger);
    expect(factory.status).toBe("degraded");
    const document = await open(factory, "doc");
    expect(await document.next()).toEqual({ kind: "down" });
    expect(lines).toEqual([
      expect.stringMatching(
        /^\[sync-nats\] the broker cannot be reached \(connection refused\): local/,
      ),
    ]);
    await using late = await startNats({ port });
    expect(await document.next()).toEqual({ kind: "up" });
    const other = await open(await fromUrl(late.url), "doc");
    await other.writer.write(update(B, 1, 1));
    expect(await document.next()).toMatchObject({ sender: B });
    expect(lines.slice(1)).toEqual(["[sync-nats] connected"]);
  });

  it("that refuses the password is degraded with one line that says why, until it is accepted", async () => {
    await using guarded = await startNats({ users: [{ user: "me", password: "right" }] });
    const { lines, logger } = createLog();
    const factory = await fromUrl(`nats://me:wrong@127.0.0.1:${guarded.port}`, logger);
    expect(factory.status).toBe("degraded");
    await guarded.restart({ users: [{ user: "me", password: "wrong" }] });
    await connected(factory);
    await open(factory, "doc");
    await guarded.restart({ users: [{ user: "me", password: "right" }] });
    // Refused more often than nats.js by itself would try.
    const attempts = async () => Number((await guarded.monitor("/varz"))["total_connections"]);
    await expect.poll(attempts, { timeout: 10_000 }).toBeGreaterThan(3);
    expect(factory.status).toBe("degraded");
    await guarded.restart({ users: [{ user: "me", password: "wrong" }] });
    await connected(factory);
    expect(lines).toEqual([
      expect.stringMatching(/cannot be reached \('?Authorization Violation'?\)/),
      "[sync-nats] connected",
      expect.stringMatching(/cannot be reached/),
      "[sync-nats] connected",
    ]);
  });

  it("that goes and comes back has every subscription again before it is called connected", async () => {
    await using own = await startNats();
    await using link = await openLink(own);
    const factory = await fromUrl(`nats://127.0.0.1:${link.port}`);
    const documents = await Promise.all(
      Array.from({ length: 1200 }, (_, i) => open(factory, `doc${i}`)),
    );
    await link.cut();
    await reached(factory, "degraded");
    await link.heal();
    await connected(factory);
    expect(await own.subjects()).toHaveLength(1201);
    for (const { next } of documents.slice(0, 3)) {
      expect([await next(), await next()]).toEqual([{ kind: "down" }, { kind: "up" }]);
    }
  });

  it("gives up a subscription that was closed while it was away", async () => {
    await using own = await startNats();
    const factory = await fromUrl(own.url);
    const closing = await open(factory, "closing");
    await open(factory, "staying");
    await own.kill();
    await reached(factory, "degraded");
    await closing.writer.close();
    await own.restart();
    await connected(factory);
    expect(await own.subjects()).toEqual([
      "teleportal:sync:%00instances",
      "teleportal:sync:staying",
    ]);
  });

  it("that went dark is found within four seconds, and replaced", async () => {
    await using link = await openLink(broker);
    const factory = await fromUrl(`nats://127.0.0.1:${link.port}`);
    const document = await open(factory, "doc");
    await link.darken();
    const darkened = performance.now();
    await reached(factory, "degraded");
    expect(performance.now() - darkened).toBeLessThan(4500);
    await link.heal();
    await connected(factory);
    const other = await open(await fromUrl(), "doc");
    await other.writer.write(update(B, 1, 1));
    expect([await document.next(), await document.next()]).toEqual([
      { kind: "down" },
      { kind: "up" },
    ]);
    expect(await document.next()).toMatchObject({ sender: B });
  });

  it("never delivers later what could not be published while it was away", async () => {
    await using own = await startNats();
    await using link = await openLink(own);
    const factory = await fromUrl(`nats://127.0.0.1:${link.port}`);
    const from = await open(factory, "doc");
    const to = await open(await fromUrl(own.url), "doc");
    await link.cut();
    // The transport does not know yet, later it does: nothing of either may be kept.
    for (let seq = 1; seq <= 10; seq++) await from.writer.write(update(A, seq, seq));
    await reached(factory, "degraded");
    for (let seq = 11; seq <= 20; seq++) await from.writer.write(update(A, seq, seq));
    await link.heal();
    await connected(factory);
    while ((await from.next()).kind !== "up");
    await from.writer.write(update(A, 21, 21));
    expect(await to.next()).toMatchObject({ seq: 21 });
  });

  it("carries large messages in parts that fit, also when the server takes less", async () => {
    await using small = await startNats({ maxPayload: 64 * 1024 });
    const from = await open(await fromUrl(small.url), "doc");
    const to = await open(await fromUrl(small.url), "doc");
    const bytes = Uint8Array.from({ length: 1024 * 1024 }, (_, i) => i);
    async function whole(document: typeof to) {
      const message = await document.next();
      if (!isPeerMessage(message)) return message;
      const [frame = new Uint8Array()] = message.frames;
      const same = Buffer.from(frame).equals(bytes);
      return { seq: message.seq, size: frame.length, same };
    }
    await from.writer.write({ ...update(A, 1), frames: [bytes] });
    await from.writer.write(update(A, 2, 2));
    expect(await whole(to)).toEqual({ seq: 1, size: bytes.length, same: true });
    expect(await to.next()).toMatchObject({ seq: 2 });
    // The server that comes back may take even less.
    await small.restart({ maxPayload: 4096 });
    for (const { next } of [from, to]) while ((await next()).kind !== "up");
    await from.writer.write({ ...update(A, 3), frames: [bytes] });
    expect(await whole(to)).toEqual({ seq: 3, size: bytes.length, same: true });
  });

  it("that may not be published to is logged once and stops nothing", async () => {
    await using own = await startNats({
      users: [
        { user: "reader", password: "pw", permissions: { publish: { deny: ["*"] } } },
        { user: "all", password: "pw" },
      ],
    });
    const { lines, logger } = createLog();
    const reader = await open(await fromUrl(own.url, logger), "doc");
    const writer = await open(await fromUrl(own.url.replace("reader", "all")), "doc");
    for (let seq = 1; seq <= 3; seq++) {
      await reader.writer.write(update(A, seq, seq));
      expect(await reader.next()).toEqual({ kind: "lost", direction: "out" });
    }
    await writer.writer.write(update(B, 1, 1));
    expect(await reader.next()).toMatchObject({ sender: B });
    expect(lines.filter((line) => line.includes("publish"))).toEqual([
      expect.stringContaining('Permissions Violation for Publish to "teleportal:sync:doc"'),
    ]);
  });

  it("that may publish one document but not another loses only the other's", async () => {
    await using own = await startNats({
      users: [
        {
          user: "some",
          password: "pw",
          permissions: { publish: { deny: ["teleportal:sync:secret"] } },
        },
      ],
    });
    const factory = await fromUrl(own.url);
    const [open1, secret] = [await open(factory, "open"), await open(factory, "secret")];
    const to = await open(await fromUrl(own.url), "open");
    await Promise.all([secret.writer.write(update(A, 1, 1)), open1.writer.write(update(A, 1, 1))]);
    expect(await secret.next()).toEqual({ kind: "lost", direction: "out" });
    expect(await to.next()).toMatchObject({ seq: 1 });
    expect(factory.metrics.droppedOut).toBe(1);
  });

  it("that may not be subscribed to is logged once, and tried again", async () => {
    const denied = { subscribe: { deny: ["teleportal:sync:doc"] } };
    await using own = await startNats({
      users: [{ user: "me", password: "pw", permissions: denied }],
    });
    const { lines, logger } = createLog();
    const factory = await fromUrl(own.url, logger);
    const document = await open(factory, "doc");
    expect(await document.next()).toEqual({ kind: "down" });
    const allowed = await open(factory, "other");
    await own.restart({ users: [{ user: "me", password: "pw" }] });
    expect(await document.next()).toEqual({ kind: "up" });
    expect(await allowed.next()).toEqual({ kind: "down" });
    expect(lines.filter((line) => line.includes("subscribe"))).toEqual([
      expect.stringMatching(/subscribe on .* failed .*Permissions Violation/),
      "[sync-nats] subscribe works again",
    ]);
  });

  it("that takes a subscription away is not called connected until it has given it back", async () => {
    const denied = { subscribe: { deny: ["teleportal:sync:doc"] } };
    const me = { user: "me", password: "pw" };
    await using own = await startNats({ users: [me] });
    const connection = await connect({
      servers: `127.0.0.1:${own.port}`,
      user: "me",
      pass: "pw",
      noEcho: true,
      maxReconnectAttempts: -1,
    });
    const factory = await from(connection);
    await open(factory, "doc");
    const statuses: string[] = [];
    factory.onStatus((status) => void statuses.push(status));
    const refusals = connection.status()[Symbol.asyncIterator]();
    await own.restart({ users: [{ ...me, permissions: denied }] });
    // When nats.js restores it, and when it is asked for again.
    for (let refused = 0; refused < 2;) {
      const { value } = await refusals.next();
      if (value?.type === "error") refused += 1;
    }
    expect(statuses).toEqual(["degraded"]);
    await own.restart({ users: [me] });
    await connected(factory);
    expect(await own.subjects()).toContain("teleportal:sync:doc");
    await factory.close();
    await connection.close();
  });

  it("keeps its connection when this process stands still", async () => {
    const factory = await fromUrl();
    const statuses: string[] = [];
    factory.onStatus((status) => void statuses.push(status));
    const document = await open(factory, "doc");
    const until = performance.now() + 4000;
    while (performance.now() < until);
    const other = await open(await fromUrl(), "doc");
    await other.writer.write(update(B, 1, 1));
    let message = await document.next();
    while (!isPeerMessage(message)) message = await document.next();
    expect(message).toMatchObject({ sender: B });
    expect(statuses).toEqual([]);
  });

  it("closes as often as it is asked to, also while it is away or dark", async () => {
    await using link = await openLink(broker);
    const dark = await fromUrl(`nats://127.0.0.1:${link.port}`);
    await open(dark, "doc");
    await link.darken();
    const neverHeard = await fromUrl(`nats://127.0.0.1:${link.port}`);
    const plain = await fromUrl();
    await open(plain, "doc");
    const away = await fromUrl(`nats://127.0.0.1:${await freePort()}`);
    for (const factory of [plain, away, neverHeard, dark]) {
      await Promise.all([factory.close(), factory.close()]);
      await factory.close();
      expect(factory.status).toBe("closed");
      await expect(factory.createTransport("doc")).rejects.toThrow("closed");
    }
    // Neither the connection nor an attempt at one is left.
    await expect.poll(() => link.connections).toBe(0);
  });

  describe("in a cluster", () => {
    it("hears the answer to the first of its questions that anybody has heard", async () => {
      await using cluster = await startNatsCluster(2);
      const [first, second] = cluster.nodes;
      const left = await fromUrl(first?.url);
      const right = await fromUrl(second?.url);

      async function firstMessage({ next }: Awaited<ReturnType<typeof open>>) {
        for (;;) {
          const message = await next();
          if (isPeerMessage(message)) return message;
        }
      }

      for (let i = 1; i <= 200; i++) {
        // At once: a node hears of a subscription on the other one a moment later than its subscriber goes on.
        const [asking, answering] = await Promise.all([
          open(left, `doc${i}`),
          open(right, `doc${i}`),
        ]);
        const answer = firstMessage(answering).then(() => answering.writer.write(update(B, i)));
        const heard = firstMessage(asking);
        const turn = () =>
          new Promise<undefined>((resolve) => void setImmediate(() => resolve(undefined)));
        let reply: PeerMessage | undefined;
        for (let seq = 1; reply === undefined; seq++) {
          await asking.writer.write(update(A, seq));
          reply = await Promise.race([heard, turn()]);
        }
        await answer;
        expect(reply).toMatchObject({ sender: B, seq: i });
      }
    });

    it("moves on from a node that dies, with every subscription live before `connected`", async () => {
      await using cluster = await startNatsCluster(3);
      const all = cluster.nodes.map(({ url }) => url);
      const instances = await Promise.all(
        all.map((_, i) => {
          // Each begins at a node of its own, and knows them all.
          const servers = [...all.slice(i), ...all.slice(0, i)];
          return from(servers, { options: { noRandomize: true } });
        }),
      );
      const documents = await Promise.all(instances.map((instance) => open(instance, "doc")));
      const [victim, ...others] = cluster.nodes;
      const [moved, second, third] = documents;
      if (!victim || !moved || !second || !third) throw new Error("there are not three");
      await Promise.all(others.map((node) => expect.poll(() => node.connections()).toBe(1)));
      await victim.kill();
      expect(await moved.next()).toEqual({ kind: "down" });
      expect(await moved.next()).toEqual({ kind: "up" });
      const subjects = await Promise.all(others.map((node) => node.subjects()));
      expect(subjects.flat().filter((name) => name.endsWith(":doc"))).toHaveLength(3);
      // What it says reaches all others, and after that it is heard by all of them.
      await moved.writer.write(update(A, 1, 1));
      for (const { next } of [second, third]) expect(await next()).toMatchObject({ sender: A });
      await second.writer.write(update(B, 1, 1));
      for (const { next } of [moved, third]) expect(await next()).toMatchObject({ sender: B });
      expect(instances.map(({ status }) => status)).toEqual(Array(3).fill("connected"));
    });
  });
});
