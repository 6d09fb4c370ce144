import { describe, expect, it } from "vitest";
import { createScriptedBroker } from "./scripted-broker.ts";
import { A, B, deferred, start, turns, update, use } from "./started-factory.ts";

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

  it.each([undefined, "a secret of sixteen bytes or more"])(
    "in several documents in one turn is published together, where the driver can (secret: %s)",
    async (secret) => {
      const driver = createScriptedBroker().driver();
      const happened: string[] = [];
      driver.onPublish = async (channel) => void happened.push(channel);
      driver.together = (publishAll) => {
        happened.push("begin");
        publishAll();
        happened.push("end");
      };
      const { factory } = start(driver, secret === undefined ? {} : { secret });
      for (const name of ["a", "b", "c"]) {
        const { writer } = use(await factory.createTransport(name));
        void writer.write(update(A, 1, 1));
      }
      await turns();
      expect(happened).toEqual([
        "begin",
        "teleportal:sync:a",
        "teleportal:sync:b",
        "teleportal:sync:c",
        "end",
      ]);
      await factory.close();
    },
  );

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

  it("behind something large arrives behind it, though the broker is slow to take that", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver({ maxPayload: 1000 });
    const gate = deferred();
    driver.onPublish = async (_channel, bytes) => {
      if (bytes.length > 500) await gate.promise;
    };
    const { factory } = start(driver);
    const other = start(broker.driver());
    const { writer } = use(await factory.createTransport("doc"));
    const { next } = use(await other.factory.createTransport("doc"));
    await writer.write({ ...update(A, 1), frames: [new Uint8Array(10_000)] });
    await turns();
    await writer.write(update(A, 2, 2));
    await turns();
    gate.resolve();
    expect([await next(), await next()]).toMatchObject([{ seq: 1 }, { seq: 2 }]);
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
