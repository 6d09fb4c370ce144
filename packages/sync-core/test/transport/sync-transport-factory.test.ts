import { describe, expect, it } from "vitest";
import { decodeEnvelope } from "@teleportal/sync-core";
import { createScriptedBroker } from "./scripted-broker.ts";
import { A, B, deferred, published, start, turns, update, use } from "./started-factory.ts";

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
    broker.deliver("teleportal:sync:doc", await published(A, 1));
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
