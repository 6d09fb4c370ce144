import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSyncTransportFactory, silentLogger } from "@teleportal/sync-core";
import type { Message, PeerMessage, SyncTransportFactory } from "@teleportal/sync-core";
import { decodeEnvelope } from "../../src/wire/envelope.ts";
import { decodePeerId } from "../../src/wire/peer-id.ts";
import { createScriptedBroker } from "./scripted-broker.ts";
import type { ScriptedDriver } from "./scripted-broker.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

function update(sender: string, seq: number): PeerMessage {
  return { kind: "update", sender, epoch: 1, seq, frames: [new Uint8Array([seq])] };
}

/** An instance with one document open, that has said something, and everything it hears. */
async function start(driver: ScriptedDriver, sender: string) {
  const factory = createSyncTransportFactory<unknown>(driver, {
    context: {},
    logger: silentLogger,
  });
  driver.say({ state: "up" });
  const transport = await factory.createTransport("doc");
  const writer = transport.writable.getWriter();
  await writer.write(update(sender, 1));
  const heard: Message[] = [];
  void (async () => {
    for await (const message of transport.readable) heard.push(message);
  })();
  return { factory, heard, writer };
}

function signals(heard: readonly Message[]): Message[] {
  return heard.filter((message) => !("frames" in message));
}

describe("heartbeats", () => {
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

  async function startBoth() {
    const broker = createScriptedBroker();
    const drivers = [broker.driver(), broker.driver()] as const;
    const a = await start(drivers[0], A);
    const b = await start(drivers[1], B);
    open.push(a.factory, b.factory);
    // One round, after which each knows of the other's document.
    await vi.advanceTimersByTimeAsync(1500);
    return { a, b, drivers };
  }

  it("let instances know of each other", async () => {
    const { a, b } = await startBoth();
    expect([a.factory.peers, b.factory.peers]).toEqual([1, 1]);
  });

  it("that stop make an instance dead to the others once its lease has run out, not before", async () => {
    const { a, b, drivers } = await startBoth();
    drivers[1].publish = () => new Promise(() => {});
    await vi.advanceTimersByTimeAsync(6000);
    expect(signals(a.heard)).toEqual([]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(signals(a.heard)).toEqual([{ kind: "gone", sender: B }]);
    expect(a.factory.peers).toBe(0);
    expect(b.heard).not.toContainEqual({ kind: "gone", sender: A });
  });

  it("name who writes through a transport until the last one of theirs has ended", async () => {
    const driver = createScriptedBroker().driver();
    let beat = new Uint8Array();
    driver.onHeartbeat = async (bytes) => {
      beat = new Uint8Array(bytes);
    };
    const { factory, writer } = await start(driver, A);
    open.push(factory);
    const second = (await factory.createTransport("second")).writable.getWriter();
    const third = (await factory.createTransport("third")).writable.getWriter();
    await second.write(update(A, 1));
    await third.write(update(B, 1));
    async function named(): Promise<string[]> {
      await vi.advanceTimersByTimeAsync(1500);
      const decoded = decodeEnvelope(beat);
      if (decoded.type !== "messages") throw new Error(`no heartbeat, but ${decoded.type}`);
      return decoded.messages.flatMap(({ frames }) => frames.map(decodePeerId));
    }
    expect(await named()).toEqual([A, B]);
    await Promise.all([writer.close(), third.close()]);
    expect(await named()).toEqual([A]);
    await second.close();
    expect(await named()).toEqual([]);
  });

  it("tell within 150 ms whose an instance's clients are, so that none of them outlives it", async () => {
    const { a, b, drivers } = await startBoth();
    const transport = await b.factory.createTransport("another");
    await transport.writable.getWriter().write(update("cccccccccccccccc", 1));
    await vi.advanceTimersByTimeAsync(150);
    drivers[1].publish = () => new Promise(() => {});
    await vi.advanceTimersByTimeAsync(9000);
    expect(signals(a.heard)).toContainEqual({ kind: "gone", sender: "cccccccccccccccc" });
  });

  it("name a hundred documents that are opened at once in one message, not in a hundred", async () => {
    const { b, drivers } = await startBoth();
    let heartbeats = 0;
    drivers[1].onHeartbeat = async () => void (heartbeats += 1);
    for (let i = 0; i < 100; i++) {
      const transport = await b.factory.createTransport(`doc${i}`);
      const sender = i.toString(16).padStart(16, "0");
      await transport.writable.getWriter().write(update(sender, 1));
    }
    await vi.advanceTimersByTimeAsync(150);
    expect(heartbeats).toBe(1);
  });

  it("end with a goodbye when an instance closes, and it is gone at once", async () => {
    const { a, b } = await startBoth();
    await b.factory.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(signals(a.heard)).toEqual([{ kind: "gone", sender: B }]);
  });

  it("that do not come back have the connection replaced within the deadline", async () => {
    const { drivers } = await startBoth();
    drivers[0].publish = async () => 1;
    await vi.advanceTimersByTimeAsync(3000);
    expect(drivers[0].reconnects).toBe(0);
    await vi.advanceTimersByTimeAsync(3500);
    expect(drivers[0].reconnects).toBe(1);
    expect(drivers[1].reconnects).toBe(0);
  });

  it("that nobody can hear say nothing about the peers", async () => {
    const { a, drivers } = await startBoth();
    drivers[0].say({ state: "down", cause: new Error("cut") });
    await vi.advanceTimersByTimeAsync(30_000);
    drivers[0].say({ state: "up" });
    await vi.advanceTimersByTimeAsync(1500);
    expect(signals(a.heard)).toEqual([{ kind: "down" }, { kind: "up" }]);
    expect(a.factory.peers).toBe(1);
  });

  it("missed because this process stood still accuse nobody, and the documents are compared again", async () => {
    const { a, b } = await startBoth();
    // Time passes for the clock, and no timer runs: what a paused process finds when it wakes.
    const now = performance.now();
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now + 60_000);
    await vi.advanceTimersByTimeAsync(1500);
    clock.mockRestore();
    expect(signals(a.heard)).toEqual([{ kind: "up" }]);
    expect(signals(b.heard)).toEqual([{ kind: "up" }]);
  });
});
