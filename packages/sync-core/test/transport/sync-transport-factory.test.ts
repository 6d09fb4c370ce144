import { describe, expect, it } from "vitest";
import { createSyncTransportFactory, decodeEnvelope } from "@teleportal/sync-core";
import type {
  Logger,
  Message,
  PeerMessage,
  SyncTransportOptions,
  TransportStreams,
} from "@teleportal/sync-core";
import { createScriptedBroker } from "./scripted-broker.ts";
import type { ScriptedDriver } from "./scripted-broker.ts";

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

function start(
  driver: ScriptedDriver,
  options: Partial<SyncTransportOptions<unknown>> = {},
  up = true,
) {
  const { lines, logger } = createLog();
  const factory = createSyncTransportFactory(driver, { context: "ctx", logger, ...options });
  driver.say(up ? { state: "up" } : { state: "down", cause: new Error("no broker") });
  return { factory, lines };
}

function use(transport: TransportStreams<unknown>) {
  const reader = transport.readable.getReader();
  return {
    writer: transport.writable.getWriter(),
    reader,
    async next(): Promise<Message> {
      const { value, done } = await reader.read();
      if (done) throw new Error("the transport has ended");
      return value;
    },
  };
}

/** Resolves after all that this event-loop turn has set off, publishes included. */
async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise that a test settles. */
function deferred() {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

describe("createTransport", () => {
  it("resolves only when the subscription is live", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const gate = deferred();
    driver.onSubscribe = () => gate.promise;
    const { factory } = start(driver);
    let resolved = false;
    const opening = factory.createTransport("doc").then((transport) => {
      resolved = true;
      return transport;
    });
    await turns();
    expect(driver.log).toEqual(["subscribe teleportal:sync:doc"]);
    expect(resolved).toBe(false);
    gate.resolve();
    await opening;
    expect(driver.log.at(-1)).toBe("subscribed teleportal:sync:doc");
    await factory.close();
  });

  it("resolves while the broker is away, says so, and says when the subscription is live", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const { factory } = start(driver, {}, false);
    const { next } = use(await factory.createTransport("doc"));
    expect(await next()).toEqual({ kind: "down" });
    expect(driver.log).toEqual([]);
    driver.say({ state: "up" });
    expect(await next()).toEqual({ kind: "up" });
    expect(broker.subscribers.get("teleportal:sync:doc")?.size).toBe(1);
    await factory.close();
  });

  it("goes on without a subscription that does not come, and says when it does", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const gate = deferred();
    driver.onSubscribe = () => gate.promise;
    const { factory } = start(driver, { brokerTimeout: 10 });
    const { next } = use(await factory.createTransport("doc"));
    expect(await next()).toEqual({ kind: "down" });
    gate.resolve();
    expect(await next()).toEqual({ kind: "up" });
    await factory.close();
  });

  it("tries a refused subscription again", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    let refusals = 1;
    driver.onSubscribe = async () => {
      if (refusals-- > 0) throw new Error("not now");
    };
    const { factory, lines } = start(driver);
    const { next } = use(await factory.createTransport("doc"));
    expect(await next()).toEqual({ kind: "down" });
    expect(await next()).toEqual({ kind: "up" });
    expect(lines.filter((line) => line.includes("subscribe"))).toEqual([
      "[scripted] subscribe on teleportal:sync:doc failed (not now): it is tried again every second, and local work goes on meanwhile",
      "[scripted] subscribe works again",
    ]);
    await factory.close();
  });

  it.each([
    ["", "empty"],
    ["a\0b", "NUL"],
    ["x".repeat(4097), "4097 characters"],
    ["\ud800", "surrogate"],
  ])("refuses the id %j, which no broker could name a channel after", async (id, why) => {
    const { factory } = start(createScriptedBroker().driver());
    await expect(factory.createTransport(id)).rejects.toThrow(why);
    await factory.close();
  });

  it("refuses after close", async () => {
    const { factory } = start(createScriptedBroker().driver());
    await factory.close();
    await expect(factory.createTransport("doc")).rejects.toThrow(
      "[scripted] the factory is closed: make a new one",
    );
  });
});

describe("a subscription", () => {
  it("is shared by the transports of a document, and given up with the last", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const { factory } = start(driver);
    const first = use(await factory.createTransport("doc"));
    const second = use(await factory.createTransport("doc"));
    await first.writer.close();
    expect(driver.log).toEqual(["subscribe teleportal:sync:doc", "subscribed teleportal:sync:doc"]);
    await second.reader.cancel();
    expect(driver.log.slice(2)).toEqual([
      "unsubscribe teleportal:sync:doc",
      "unsubscribed teleportal:sync:doc",
    ]);
    await factory.close();
  });

  it("is never given up and taken at the same time, however fast a document closes and opens", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const slowly = () => new Promise<void>((resolve) => setImmediate(resolve));
    driver.onSubscribe = slowly;
    driver.onUnsubscribe = slowly;
    const { factory } = start(driver);
    const closings: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i++) {
      const { writer } = use(await factory.createTransport("doc"));
      closings.push(writer.close());
      if (i % 3 === 0) await turns(1);
    }
    await Promise.all(closings);
    const last = use(await factory.createTransport("doc"));
    for (let i = 0; i < driver.log.length; i += 2) {
      const [begin, end] = driver.log.slice(i, i + 2);
      expect(end).toBe(begin?.replace("subscribe ", "subscribed "));
    }
    broker.deliver("teleportal:sync:doc", envelopeOf(await published(A, 1)));
    expect(await last.next()).toMatchObject({ kind: "update", sender: A });
    await factory.close();
  });

  it("of one document hears nothing of another, though one id begins with the other", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver());
    const other = start(broker.driver());
    const doc = use(await factory.createTransport("doc"));
    const longer = use(await other.factory.createTransport("doc/1"));
    const same = use(await other.factory.createTransport("doc"));
    await longer.writer.write(update(B, 1, 1));
    await same.writer.write(update(B, 2, 2));
    expect(await doc.next()).toMatchObject({ seq: 2 });
    await Promise.all([factory.close(), other.factory.close()]);
  });
});

/** An envelope as another factory publishes it. */
async function published(sender: string, seq: number): Promise<Uint8Array> {
  const broker = createScriptedBroker();
  const { factory } = start(broker.driver());
  const { writer } = use(await factory.createTransport("doc"));
  await writer.write(update(sender, seq, seq));
  await turns();
  await factory.close();
  const [first] = broker.published;
  if (first === undefined) throw new Error("nothing was published");
  return first.bytes;
}

const envelopeOf = (bytes: Uint8Array): Uint8Array => bytes;

describe("what is written", () => {
  it("in one event-loop turn is one publish", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver());
    const other = start(broker.driver());
    const { writer } = use(await factory.createTransport("doc"));
    const { next } = use(await other.factory.createTransport("doc"));
    void writer.write(update(A, 1, 1));
    void writer.write(update(A, 2, 2));
    void writer.write(update(A, 3, 3));
    expect([await next(), await next(), await next()]).toMatchObject([
      { seq: 1 },
      { seq: 2 },
      { seq: 3 },
    ]);
    expect(broker.published).toHaveLength(1);
    await Promise.all([factory.close(), other.factory.close()]);
  });

  it("does not come back, though the broker echoes it", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver());
    const other = start(broker.driver());
    const mine = use(await factory.createTransport("doc"));
    const theirs = use(await other.factory.createTransport("doc"));
    await mine.writer.write(update(A, 1, 1));
    await theirs.next();
    await theirs.writer.write(update(B, 1, 2));
    expect(await mine.next()).toMatchObject({ sender: B, context: "ctx" });
    expect(factory.metrics.echoes).toBe(1);
    await Promise.all([factory.close(), other.factory.close()]);
  });

  it("reaches the document's other transport of the same factory, once", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver());
    const first = use(await factory.createTransport("doc"));
    const second = use(await factory.createTransport("doc"));
    await first.writer.write(update(A, 1, 1));
    await first.writer.write(update(A, 2, 2));
    expect([await second.next(), await second.next()]).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    await factory.close();
  });

  it("above the broker's limit arrives whole, in pieces within the limit", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver({ maxPayload: 1000 });
    driver.onPublish = async (_channel, bytes) => {
      if (bytes.length > 1000) throw new Error("too large");
    };
    const { factory } = start(driver);
    const other = start(broker.driver());
    const { writer } = use(await factory.createTransport("doc"));
    const { next } = use(await other.factory.createTransport("doc"));
    const frame = Uint8Array.from({ length: 10_000 }, (_, i) => i);
    await writer.write({ ...update(A, 1), frames: [frame] });
    expect(await next()).toMatchObject({ seq: 1, frames: [frame] });
    expect(broker.published.length).toBeGreaterThan(10);
    await Promise.all([factory.close(), other.factory.close()]);
  });

  it("before close is still sent", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver());
    const { writer } = use(await factory.createTransport("doc"));
    void writer.write(update(A, 1, 1));
    await writer.close();
    expect(broker.published).toHaveLength(1);
    await factory.close();
  });

  it("to a broker that refuses is dropped, said to the writer, logged once, and stops nothing", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    let refuse = true;
    driver.onPublish = async () => {
      if (refuse) throw new Error("read-only");
    };
    const { factory, lines } = start(driver);
    const { writer, next } = use(await factory.createTransport("doc"));
    for (let seq = 1; seq <= 3; seq++) {
      await writer.write(update(A, seq, seq));
      expect(await next()).toEqual({ kind: "lost", direction: "out" });
    }
    refuse = false;
    await writer.write(update(A, 4, 4));
    await turns();
    expect(broker.published).toHaveLength(1);
    expect(lines.filter((line) => line.includes("publish"))).toEqual([
      "[scripted] publish on teleportal:sync:doc failed (read-only): the messages are dropped and repaired later",
      "[scripted] publish works again",
    ]);
    expect(factory.metrics.droppedOut).toBe(3);
    await factory.close();
  });

  it("while a publish hangs is held up to the cap, then dropped and said when there is room", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const gate = deferred();
    driver.onPublish = () => gate.promise;
    const { factory } = start(driver, { outboxBytes: 1000 });
    const { writer, next } = use(await factory.createTransport("doc"));
    for (let seq = 1; seq <= 100; seq++) {
      await writer.write({ ...update(A, seq), frames: [new Uint8Array(100)] });
    }
    expect(factory.metrics.droppedOut).toBeGreaterThan(90);
    gate.resolve();
    expect(await next()).toEqual({ kind: "lost", direction: "out" });
    await factory.close();
  });

  it("by all documents together is held up to their common cap", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const gate = deferred();
    driver.onPublish = () => gate.promise;
    const { factory } = start(driver, { outboxTotalBytes: 1000 });
    for (let i = 0; i < 20; i++) {
      const { writer } = use(await factory.createTransport(`doc${i}`));
      for (let seq = 1; seq <= 5; seq++) {
        await writer.write({ ...update(A, seq), frames: [new Uint8Array(100)] });
      }
    }
    // Each document may have one message on its way, or one could starve the others for ever.
    expect(100 - factory.metrics.droppedOut).toBeLessThanOrEqual(7 + 20);
    gate.resolve();
    await factory.close();
  });

  it("reaches nobody while the broker is away, and nothing of it is held", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const { factory } = start(driver);
    const { writer, next } = use(await factory.createTransport("doc"));
    driver.say({ state: "down", cause: new Error("cut") });
    expect(await next()).toEqual({ kind: "down" });
    for (let seq = 1; seq <= 50; seq++) await writer.write(update(A, seq, seq));
    driver.say({ state: "up" });
    expect(await next()).toEqual({ kind: "up" });
    await turns();
    expect(broker.published).toHaveLength(0);
    expect(factory.metrics.droppedOut).toBe(50);
    await factory.close();
  });

  it("as a question to everyone that reaches nobody is answered with alone", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver());
    const { writer, next } = use(await factory.createTransport("doc"));
    await writer.write({ kind: "request", sender: A, epoch: 1, seq: 0, frames: [] });
    expect(await next()).toEqual({ kind: "alone" });
    await factory.close();
  });
});

describe("what arrives", () => {
  it("unreadable is skipped, counted and logged once, and what follows is read", async () => {
    const broker = createScriptedBroker();
    const { factory, lines } = start(broker.driver());
    const { next } = use(await factory.createTransport("doc"));
    const good = await published(A, 1);
    const newer = good.slice();
    newer[2] = 9;
    for (const bytes of [new Uint8Array(), new Uint8Array([1, 2, 3]), newer, good.subarray(0, 9)]) {
      broker.deliver("teleportal:sync:doc", bytes);
    }
    broker.deliver("teleportal:sync:doc", good);
    expect(await next()).toMatchObject({ sender: A, seq: 1 });
    expect(factory.metrics).toMatchObject({ malformed: 3, unknownVersion: 1, received: 1 });
    expect(lines.filter((line) => line.includes("skipped"))).toHaveLength(2);
    await factory.close();
  });

  it("for a reader that does not read is held up to the cap, then dropped and said", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver(), { readableBytes: 1000 });
    const { next } = use(await factory.createTransport("doc"));
    const other = start(broker.driver());
    const { writer } = use(await other.factory.createTransport("doc"));
    for (let seq = 1; seq <= 50; seq++) {
      await writer.write({ ...update(B, seq), frames: [new Uint8Array(100)] });
      await turns(1);
    }
    expect(factory.metrics.droppedIn).toBeGreaterThan(40);
    let last = await next();
    while (last.kind === "update") last = await next();
    expect(last).toEqual({ kind: "lost", direction: "in" });
    await writer.write(update(B, 51, 51));
    expect(await next()).toMatchObject({ seq: 51 });
    await Promise.all([factory.close(), other.factory.close()]);
  });
});

describe("status", () => {
  it("follows the broker, with one log line per change", async () => {
    const driver = createScriptedBroker().driver();
    const { factory, lines } = start(driver, {}, false);
    const seen: string[] = [];
    factory.onStatus((status) => seen.push(status));
    expect(factory.status).toBe("degraded");
    driver.say({ state: "down", cause: new Error("still no broker") });
    driver.say({ state: "up" });
    driver.say({ state: "up" });
    driver.say({ state: "down", cause: new Error("cut") });
    await factory.close();
    expect(seen).toEqual(["connected", "degraded", "closed"]);
    expect(lines).toEqual([
      "[scripted] the broker cannot be reached (no broker): local work goes on, and syncing resumes by itself when it is back",
      "[scripted] connected",
      "[scripted] the broker cannot be reached (cut): local work goes on, and syncing resumes by itself when it is back",
    ]);
  });

  it("reaches its listeners though one of them throws", async () => {
    const driver = createScriptedBroker().driver();
    const { factory, lines } = start(driver, {}, false);
    factory.onStatus(() => {
      throw new Error("mine");
    });
    const seen: string[] = [];
    factory.onStatus((status) => seen.push(status));
    driver.say({ state: "up" });
    expect(seen).toEqual(["connected"]);
    expect(lines.at(-1)).toBe("[scripted] a status listener threw: mine");
    await factory.close();
  });
});

describe("close", () => {
  it("ends every transport and the driver, once", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const { factory } = start(driver);
    const transports = await Promise.all(
      ["a", "b", "c"].map(async (id) => use(await factory.createTransport(id))),
    );
    await Promise.all([factory.close(), factory.close()]);
    await factory.close();
    for (const { reader } of transports) expect(await reader.read()).toMatchObject({ done: true });
    expect([...broker.subscribers.values()].map((set) => set.size)).toEqual([0, 0, 0, 0]);
    expect(driver.closed).toBe(1);
    expect(factory.status).toBe("closed");
  });

  it("sends what was written in the same turn", async () => {
    const broker = createScriptedBroker();
    const { factory } = start(broker.driver());
    const { writer } = use(await factory.createTransport("doc"));
    await writer.write(update(A, 1, 1));
    await factory.close();
    expect(broker.published.map(({ bytes }) => decodeEnvelope(bytes))).toMatchObject([
      { messages: [{ seq: 1 }] },
    ]);
  });

  it("does not wait for ever for a broker that answers nothing", async () => {
    const driver = createScriptedBroker().driver();
    driver.onPublish = () => new Promise(() => {});
    driver.onUnsubscribe = () => new Promise(() => {});
    const { factory } = start(driver, { brokerTimeout: 10 });
    const { writer } = use(await factory.createTransport("doc"));
    await writer.write(update(A, 1, 1));
    await factory.close();
    expect(driver.closed).toBe(1);
  });
});
