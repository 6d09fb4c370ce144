import { describe, expect, it } from "vitest";
import { createSyncTransportFactory } from "@teleportal/sync-core";
import type {
  DirectTransport,
  Message,
  PeerMessage,
  SyncTransportOptions,
} from "@teleportal/sync-core";
import { createScriptedBroker } from "./scripted-broker.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function update(sender: string, seq: number, ...bytes: number[]): PeerMessage {
  return { kind: "update", sender, epoch: 1, seq, frames: [new Uint8Array(bytes)] };
}

async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

function start(options: Partial<SyncTransportOptions<unknown>> = {}) {
  const broker = createScriptedBroker();
  const open = () => {
    const driver = broker.driver();
    const factory = createSyncTransportFactory(driver, {
      context: undefined,
      logger: SILENT,
      ...options,
    });
    driver.say({ state: "up" });
    return { driver, factory };
  };
  return { left: open(), right: open() };
}

function takeOver(transport: DirectTransport<unknown>) {
  const received: Message[] = [];
  let ended = 0;
  const connection = transport.takeOver({
    receive: (message) => void received.push(message),
    ended: () => void (ended += 1),
  });
  return {
    send: (message: PeerMessage) => connection.send(message),
    close: () => connection.close(),
    received,
    get ended() {
      return ended;
    },
    get seqs() {
      return received.flatMap((message) => ("seq" in message ? [message.seq] : []));
    },
  };
}

describe("a transport that is taken over", () => {
  it("carries messages as its streams do, each at once, and not back to who has sent them", async () => {
    const { left, right } = start();
    const a = takeOver(await left.factory.createTransport("doc"));
    const b = takeOver(await right.factory.createTransport("doc"));
    a.send(update(A, 1, 1));
    a.send(update(A, 2, 2));
    b.send(update(B, 1, 3));
    await turns();
    expect(b.received).toMatchObject([
      { kind: "update", sender: A, seq: 1, frames: [Uint8Array.of(1)] },
      { kind: "update", sender: A, seq: 2, frames: [Uint8Array.of(2)] },
    ]);
    expect(a.received).toMatchObject([{ kind: "update", sender: B, seq: 1 }]);
  });

  it("meets one that is used through its streams", async () => {
    const { left, right } = start();
    const a = takeOver(await left.factory.createTransport("doc"));
    const b = await right.factory.createTransport("doc");
    a.send(update(A, 1, 1));
    const { value } = await b.readable.getReader().read();
    expect(value).toMatchObject({ sender: A, seq: 1 });
    await b.writable.getWriter().write(update(B, 1, 2));
    await turns();
    expect(a.seqs).toEqual([1]);
  });

  it("is handed first what has come before", async () => {
    const { left, right } = start();
    const a = takeOver(await left.factory.createTransport("doc"));
    const b = await right.factory.createTransport("doc");
    a.send(update(A, 1, 1));
    await turns();
    right.driver.say({ state: "down", cause: new Error("cut") });
    const taken = takeOver(b);
    expect(taken.received).toMatchObject([{ seq: 1 }, { kind: "down" }]);
  });

  it("is told when more has come before than there was room for", async () => {
    const { left, right } = start({ readableBytes: 1000 });
    const a = takeOver(await left.factory.createTransport("doc"));
    const b = await right.factory.createTransport("doc");
    for (let i = 1; i <= 20; i++) a.send(update(A, i, i));
    await turns();
    const taken = takeOver(b);
    expect(taken.seqs.length).toBeLessThan(20);
    expect(taken.received.at(-1)).toEqual({ kind: "lost", direction: "in" });
    expect(right.factory.metrics.droppedIn).toBe(20 - taken.seqs.length);
    a.send(update(A, 21, 21));
    await turns();
    expect(taken.seqs.at(-1)).toBe(21);
  });

  it("does not call back before `send` has returned, though its factory has another of the document", async () => {
    const { left } = start();
    const a = takeOver(await left.factory.createTransport("doc"));
    const sibling = takeOver(await left.factory.createTransport("doc"));
    a.send(update(A, 1, 1));
    expect(sibling.received).toEqual([]);
    await turns();
    expect(sibling.seqs).toEqual([1]);
    expect(a.received).toEqual([]);
  });

  it("sends what was sent before its close, nothing after it, and has ended then", async () => {
    const { left, right } = start();
    const a = takeOver(await left.factory.createTransport("doc"));
    // Another of the same document keeps the channel open.
    takeOver(await left.factory.createTransport("doc"));
    const b = takeOver(await right.factory.createTransport("doc"));
    a.send(update(A, 1, 1));
    await Promise.all([a.close(), a.close()]);
    expect(a.ended).toBe(1);
    a.send(update(A, 2, 2));
    b.send(update(B, 1, 3));
    await turns();
    expect(b.seqs).toEqual([1]);
    expect(a.received).toEqual([]);
  });

  it("is told when its factory ends it", async () => {
    const { left } = start();
    const a = takeOver(await left.factory.createTransport("doc"));
    await left.factory.close();
    expect(a.ended).toBe(1);
  });

  it("cannot be taken over again, nor used through streams, nor the other way round", async () => {
    const { left } = start();
    const taken = await left.factory.createTransport("doc");
    takeOver(taken);
    expect(() => takeOver(taken)).toThrow(/taken over/);
    expect(() => taken.readable).toThrow(/taken over/);
    expect(() => taken.writable).toThrow(/taken over/);
    const streamed = await left.factory.createTransport("doc");
    expect(streamed.readable).toBe(streamed.readable);
    expect(() => takeOver(streamed)).toThrow(/streams are in use/);
  });

  it("leaves no subscription behind though its reader throws when it has ended", async () => {
    const broker = createScriptedBroker();
    const driver = broker.driver();
    const factory = createSyncTransportFactory(driver, { context: undefined, logger: SILENT });
    driver.say({ state: "up" });
    const failure = new Error("the reader has failed");
    const connection = (await factory.createTransport("doc")).takeOver({
      receive() {},
      ended() {
        throw failure;
      },
    });
    expect(broker.subscribers.get("teleportal:sync:doc")?.size).toBe(1);
    await expect(connection.close()).rejects.toBe(failure);
    expect(broker.subscribers.get("teleportal:sync:doc")?.size ?? 0).toBe(0);
    await factory.close();
  });
});
