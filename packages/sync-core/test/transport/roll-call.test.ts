import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSyncTransportFactory, silentLogger } from "@teleportal/sync-core";
import type { Message, PeerMessage, SyncTransportFactory } from "@teleportal/sync-core";
import { createScriptedBroker } from "./scripted-broker.ts";

type Broker = ReturnType<typeof createScriptedBroker>;

/** Longer than it takes until an instance is sure to know all others, in milliseconds. */
const ACQUAINTED = 3500;

let lastSender = 0;

/** What a replica asks when its document is opened. */
function request(to?: string): PeerMessage {
  lastSender += 1;
  const sender = lastSender.toString(16).padStart(16, "0");
  const frames = [new Uint8Array([1]), new Uint8Array([2])];
  return { kind: "request", sender, epoch: 1, seq: 0, frames, ...(to === undefined ? {} : { to }) };
}

describe("a broker that does not say whom a message has reached", () => {
  const open: SyncTransportFactory<unknown>[] = [];

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "performance"],
    });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await Promise.all(open.splice(0).map((factory) => factory.close()));
  });

  function start(broker: Broker): SyncTransportFactory<unknown> {
    const driver = broker.driver();
    const { publish } = driver;
    driver.publish = async (channel, bytes) => void (await publish(channel, bytes));
    const factory = createSyncTransportFactory<unknown>(driver, {
      context: {},
      logger: silentLogger,
    });
    driver.say({ state: "up" });
    open.push(factory);
    return factory;
  }

  /** Opens the document and asks everyone; what is heard of it. */
  async function openAndAsk(factory: SyncTransportFactory<unknown>, id: string, to?: string) {
    const transport = await factory.createTransport(id);
    const heard: Message[] = [];
    const connection = transport.takeOver({
      receive: (message) => void heard.push(message),
      ended() {},
    });
    connection.send(request(to));
    await vi.advanceTimersByTimeAsync(1);
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(1);
    await new Promise((resolve) => setImmediate(resolve));
    return { heard, connection };
  }

  const alone = { kind: "alone" };

  it("is no reason to wait for others that do not have the document open", async () => {
    const broker = createScriptedBroker();
    const [a] = [start(broker), start(broker), start(broker)];
    await vi.advanceTimersByTimeAsync(ACQUAINTED);
    expect(a?.peers).toBe(2);
    if (a === undefined) return;
    expect((await openAndAsk(a, "doc")).heard).toEqual([alone]);
  });

  it("is no reason to wait when there is no other instance", async () => {
    const a = start(createScriptedBroker());
    await vi.advanceTimersByTimeAsync(ACQUAINTED);
    expect((await openAndAsk(a, "doc")).heard).toEqual([alone]);
  });

  it("leaves one alone who asks for a document that another has open: its answer is waited for", async () => {
    const broker = createScriptedBroker();
    const [a, b] = [start(broker), start(broker)];
    start(broker);
    await vi.advanceTimersByTimeAsync(ACQUAINTED);
    await openAndAsk(b, "held");
    const held = await openAndAsk(a, "held");
    // Asked for later, and answered by all.
    expect((await openAndAsk(a, "free")).heard).toEqual([alone]);
    expect(held.heard).toEqual([]);
  });

  it("is waited for while the other instances may not have been heard yet", async () => {
    const broker = createScriptedBroker();
    const a = start(broker);
    const early = await openAndAsk(a, "early");
    await vi.advanceTimersByTimeAsync(ACQUAINTED);
    expect((await openAndAsk(a, "late")).heard).toEqual([alone]);
    expect(early.heard).toEqual([]);
  });

  it("is not asked who has the document when one certain peer is meant", async () => {
    const broker = createScriptedBroker();
    const a = start(broker);
    await vi.advanceTimersByTimeAsync(ACQUAINTED);
    const one = await openAndAsk(a, "one", "00000000000000ff");
    expect((await openAndAsk(a, "everyone")).heard).toEqual([alone]);
    expect(one.heard).toEqual([]);
  });

  it("is asked once for all documents that are opened in one turn, in messages that it can carry", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver({ maxPayload: 1000 });
    const sizes: number[] = [];
    const { publish } = driver;
    driver.publish = async (channel, bytes) => {
      if (channel.includes("\0")) sizes.push(bytes.length);
      await publish(channel, bytes);
      return undefined;
    };
    const a = createSyncTransportFactory<unknown>(driver, { context: {}, logger: silentLogger });
    driver.say({ state: "up" });
    open.push(a);
    start(broker);
    await vi.advanceTimersByTimeAsync(ACQUAINTED);
    const before = sizes.length;
    const ids = Array.from({ length: 50 }, (_, index) => `document number ${index}`);
    const transports = await Promise.all(ids.map((id) => a.createTransport(id)));
    const heard = transports.map((transport) => {
      const messages: Message[] = [];
      const connection = transport.takeOver({
        receive: (message) => void messages.push(message),
        ended() {},
      });
      connection.send(request());
      return messages;
    });
    for (let turn = 0; turn < 4; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(1);
    }
    for (const messages of heard) expect(messages).toEqual([alone]);
    const asked = sizes.slice(before);
    expect(asked.length).toBeLessThan(6);
    expect(Math.max(...asked)).toBeLessThanOrEqual(1000);
  });
});
