import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect as connectSocket, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect } from "@nats-io/transport-node";
import type { NodeConnectionOptions, Status } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { SyncDriver } from "@teleportal/sync-core";
import { findNats, requireBroker, startNats } from "@teleportal/test-brokers";
import { openLink } from "@teleportal/sync-core/conformance";
import type { NatsBroker } from "@teleportal/test-brokers";
import { readConnectionOptions } from "../src/connection-options.ts";
import type { NatsConnectionLike } from "../src/nats-connection-like.ts";
import { createNatsDriver } from "../src/nats-driver.ts";
import { borrowLink, createOwnLink } from "../src/nats-link.ts";
import { createSubjects } from "../src/subject.ts";

const CHANNEL = "test:doc";
const subjects = createSubjects("test:");

function watch(driver: SyncDriver) {
  let state = "unknown";
  const waiting = new Set<() => void>();
  driver.watch((connection) => {
    ({ state } = connection);
    for (const look of waiting) look();
  });
  return {
    reached(wanted: "up" | "down"): Promise<void> {
      return new Promise((resolve) => {
        function look(): void {
          if (state !== wanted) return;
          waiting.delete(look);
          resolve();
        }
        waiting.add(look);
        look();
      });
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** A server that takes connections, greets, and never says another word. */
async function startMute(port = 0, greeting = "") {
  const server = createServer();
  const waiting: Socket[] = [];
  let arrived = (): void => {};
  server.on("connection", (socket) => {
    socket
      .on("error", () => {})
      .resume()
      .write(greeting);
    waiting.push(socket);
    arrived();
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    /** The next connection, and when its client has let go of it. */
    async next(): Promise<{ gone: Promise<unknown> }> {
      for (;;) {
        const socket = waiting.shift();
        if (socket !== undefined) {
          if (socket.closed) return { gone: Promise.resolve() };
          // However it goes: `once` would reject for a reset.
          return { gone: new Promise<void>((resolve) => socket.on("close", () => resolve())) };
        }
        await new Promise<void>((resolve) => (arrived = resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

const nats = requireBroker("NATS", findNats());

describe.skipIf(nats.skip)(`the driver on a ${nats.title}`, () => {
  let broker: NatsBroker;
  const drivers: SyncDriver[] = [];

  beforeAll(async () => {
    broker = await startNats();
  });
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map((driver) => driver.close()));
  });
  afterAll(() => broker.stop());

  function create(servers: readonly string[], options: NodeConnectionOptions = {}) {
    const link = createOwnLink(connect, readConnectionOptions(servers, options));
    const driver = createNatsDriver(link, subjects);
    drivers.push(driver);
    return { driver, reached: watch(driver).reached };
  }

  async function open(port = broker.port) {
    const created = create([`127.0.0.1:${port}`]);
    await created.reached("up");
    return created;
  }

  it("has a publish fail that the server had not taken when the link broke, at once", async () => {
    await using link = await openLink(broker);
    const { driver, reached } = await open(link.port);
    await link.darken();
    const outcomes: string[] = [];
    for (let i = 0; i < 3; i++) {
      driver.publish(CHANNEL, new Uint8Array([i])).then(
        () => outcomes.push("taken"),
        () => outcomes.push("lost"),
      );
    }
    await reached("down");
    await turn();
    expect(outcomes).toEqual(["lost", "lost", "lost"]);
  });

  it.each([{ tls: false }, { tls: true }])(
    "leaves a server that stands still, also with a full buffer (TLS: $tls)",
    async ({ tls }) => {
      await using still = await startNats({ tls });
      await using other = await startNats({ tls });
      const ca = [still, other].map((server) => server.ca).join("");
      const options = { noRandomize: true, ...(tls && { tls: { ca } }) };
      const { driver, reached } = create([still.url, other.url], options);
      await reached("up");
      await driver.subscribe(CHANNEL, () => {});
      still.pause();
      // 20 MiB: more than the system keeps for a receiver that takes nothing.
      const bytes = new Uint8Array(driver.capabilities.maxPayload);
      const publishing = Array.from({ length: 80 }, () => driver.publish(CHANNEL, bytes));
      const outcomes = await Promise.allSettled(publishing);
      expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
      await reached("up");
      expect(await other.subjects()).toEqual([CHANNEL]);
    },
  );

  const GREETING = `INFO ${JSON.stringify({ version: "2.9.0", proto: 1, max_payload: 1024, tls_required: true })}\r\n`;

  it.each([
    { when: "from the beginning", greeting: "" },
    { when: "to the TLS handshake", greeting: GREETING },
  ])("lets go of each attempt on a server that says nothing $when", async ({ greeting }) => {
    await using mute = await startMute(0, greeting);
    create([`127.0.0.1:${mute.port}`]);
    const first = await mute.next();
    const second = await mute.next();
    await first.gone;
    await drivers.pop()?.close();
    await second.gone;
  });

  it("is closed in the middle of an attempt to reconnect, and leaves nothing of it", async () => {
    await using own = await startNats();
    const { driver, reached } = await open(own.port);
    await own.kill();
    await reached("down");
    await using mute = await startMute(own.port);
    const attempt = await mute.next();
    drivers.splice(drivers.indexOf(driver), 1);
    await driver.close();
    await attempt.gone;
  });

  it("refuses to publish and to subscribe without a connection, and keeps nothing of it", async () => {
    await using link = await openLink(broker);
    const { driver, reached } = await open(link.port);
    const received: number[] = [];
    const { driver: other } = await open();
    await other.subscribe(CHANNEL, ([first = -1]) => void received.push(first));
    await link.cut();
    // Until it is noticed, while it is not there, and when it is about to be.
    const outcomes: string[] = [];
    const attempts = new AbortController();
    async function attempt(): Promise<void> {
      for (;;) {
        driver.publish(CHANNEL, new Uint8Array([1])).then(
          () => outcomes.push("taken"),
          () => outcomes.push("refused"),
        );
        if (attempts.signal.aborted) return;
        await turn();
      }
    }
    const attempting = attempt();
    await reached("down");
    await expect(driver.publish(CHANNEL, new Uint8Array([2]))).rejects.toThrow(
      "[sync-nats] publish without a connection: wait for `up`",
    );
    await expect(driver.subscribe(CHANNEL, () => {})).rejects.toThrow("without a connection");
    await link.heal();
    await reached("up");
    attempts.abort();
    await attempting;
    await driver.publish(CHANNEL, new Uint8Array([3]));
    await expect.poll(() => received.at(-1)).toBe(3);
    // What was taken is there, and nothing else: it was taken after `up`.
    const taken = outcomes.filter((outcome) => outcome === "taken");
    expect(received).toEqual([...taken.map(() => 1), 3]);
    expect(outcomes.length).toBeGreaterThan(taken.length);
  });

  it("has a publish that is too large fail, and nothing else", async () => {
    const { driver } = await open();
    const { driver: other } = await open();
    const sizes: number[] = [];
    await other.subscribe(CHANNEL, (bytes) => void sizes.push(bytes.length));
    const [before, large, after] = await Promise.allSettled([
      driver.publish(CHANNEL, new Uint8Array(1)),
      driver.publish(CHANNEL, new Uint8Array(2 * 1024 * 1024)),
      driver.publish(CHANNEL, new Uint8Array(driver.capabilities.maxPayload)),
    ]);
    expect([before?.status, large?.status, after?.status]).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    await expect.poll(() => sizes).toEqual([1, driver.capabilities.maxPayload]);
  });

  it("settles what is on its way when it is closed, and takes nothing more", async () => {
    const { driver } = await open();
    const { driver: other } = await open();
    const received: number[] = [];
    await other.subscribe(CHANNEL, ([first = -1]) => void received.push(first));
    await driver.subscribe(CHANNEL, () => {});
    const publishing = driver.publish(CHANNEL, new Uint8Array([1]));
    const closing = driver.close();
    drivers.splice(drivers.indexOf(driver), 1);
    await expect(driver.publish(CHANNEL, new Uint8Array([2]))).rejects.toThrow("after close");
    await expect(driver.subscribe(CHANNEL, () => {})).rejects.toThrow("after close");
    await publishing;
    await closing;
    await expect.poll(() => received).toEqual([1]);
  });

  it("costs the other promises of the process nothing once it is connected", async () => {
    const main = fileURLToPath(new URL("print-followed-promises.ts", import.meta.url));
    const options = ["--import", "tsx", "--conditions", "@teleportal/source", main, broker.url];
    const { stdout } = await promisify(execFile)(process.execPath, options);
    expect(stdout).toBe("before: false, connected: false, closed: false");
  });

  it("closes no socket that the application opens while it handles a message", async () => {
    await using link = await openLink(broker);
    const { driver } = await open(link.port);
    const opened = new Promise<Socket>((resolve) => {
      void driver.subscribe(CHANNEL, () => resolve(connectSocket(broker.port, "127.0.0.1")));
    });
    const { driver: other } = await open();
    await driver.publish("test:fence", new Uint8Array(1));
    await other.publish(CHANNEL, new Uint8Array(1));
    const socket = await opened;
    await once(socket, "data");
    await driver.close();
    drivers.splice(drivers.indexOf(driver), 1);
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });
});

describe("the driver on a connection", () => {
  /** A connection that is always there, and tells what it is told to. */
  function createConnection() {
    const statuses: Status[] = [];
    let tell = (): void => {};
    let published = 0;
    return {
      info: { max_payload: 1024 } as NatsConnectionLike["info"],
      get published() {
        return published;
      },
      say(status: Status) {
        statuses.push(status);
        tell();
      },
      publish: () => void (published += 1),
      subscribe: () => ({ unsubscribe() {} }),
      flush: (): Promise<void> => Promise.resolve(),
      async *status() {
        for (;;) {
          yield* statuses.splice(0);
          await new Promise<void>((resolve) => (tell = resolve));
        }
      },
      closed: () => new Promise<void>(() => {}),
      close: () => Promise.resolve(),
      reconnect: () => Promise.resolve(),
      isClosed: () => false,
    } satisfies NatsConnectionLike & Record<string, unknown>;
  }

  it("publishes nothing that it would keep until it is connected again", async () => {
    const connection = createConnection();
    const driver = createNatsDriver(borrowLink(connection), subjects);
    await watch(driver).reached("up");
    await driver.publish(CHANNEL, new Uint8Array(1));
    // So it is while nats.js connects again, also before its status says that the connection was lost.
    connection.info = undefined;
    await expect(driver.publish(CHANNEL, new Uint8Array(1))).rejects.toThrow("without a conn");
    expect(connection.published).toBe(1);
    await driver.close();
  });

  it("has fail what nobody will answer any more", async () => {
    const connection = createConnection();
    const driver = createNatsDriver(borrowLink(connection), subjects);
    await watch(driver).reached("up");
    connection.flush = () => new Promise(() => {});
    const publishing = driver.publish(CHANNEL, new Uint8Array(1));
    const subscribing = driver.subscribe(CHANNEL, () => {});
    connection.say({ type: "disconnect", server: "s" });
    await expect(publishing).rejects.toBe("the connection was closed");
    await expect(subscribing).rejects.toBe("the connection was closed");
    await driver.close();
  });

  it("knows its limit, and whether it sends back what is published", async () => {
    for (const [noEcho, echo] of [
      [true, "never"],
      [false, "always"],
    ] as const) {
      const connection = { ...createConnection(), options: { noEcho } };
      const driver = createNatsDriver(borrowLink(connection), subjects);
      await watch(driver).reached("up");
      expect(driver.capabilities).toMatchObject({ echo, maxPayload: 1024 });
      await driver.close();
    }
  });

  it("gives one up that comes when it was closed meanwhile", async () => {
    const connection = createConnection();
    const released: unknown[] = [];
    let arrive: (connection: NatsConnectionLike) => void = () => {};
    const driver = createNatsDriver(
      {
        echo: "never",
        connect: () => new Promise((resolve) => (arrive = resolve)),
        retryDelay: () => undefined,
        abandon() {},
        release: async (given) => void released.push(given),
      },
      subjects,
    );
    const closing = driver.close();
    arrive(connection);
    await closing;
    expect(released).toEqual([undefined, connection]);
  });
});
