import { describe, expect, it } from "vitest";
import { silentLogger } from "@teleportal/sync-core";
import type { Message, PeerMessage } from "@teleportal/sync-core";
import { createMemoryBus, createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

function update(sender: string, seq: number, ...bytes: number[]): PeerMessage {
  return { kind: "update", sender, epoch: 1, seq, frames: [new Uint8Array(bytes)] };
}

async function open(bus = createMemoryBus(), context: unknown = {}) {
  const factory = await createMemoryServerSyncTransportFactory({ bus }, context, silentLogger);
  const transport = await factory.createTransport("doc");
  return {
    bus,
    factory,
    transport,
    writer: transport.writable.getWriter(),
    reader: transport.readable.getReader() as ReadableStreamDefaultReader<Message>,
  };
}

describe("the embedded memory transport", () => {
  it("carries a message to the other instance, with that instance's context", async () => {
    const a = await open();
    const b = await open(a.bus, { instance: "b" });
    await a.writer.write(update(A, 1, 1, 2, 3));
    const { value } = await b.reader.read();
    expect(value).toEqual({ ...update(A, 1, 1, 2, 3), context: { instance: "b" } });
    await Promise.all([a.factory.close(), b.factory.close()]);
  });

  it("does not give a message back to its writer", async () => {
    const a = await open();
    const b = await open(a.bus);
    await a.writer.write(update(A, 1, 1));
    await b.reader.read();
    await b.writer.write(update(B, 1, 2));
    // The fence from B is the first thing that A hears.
    expect((await a.reader.read()).value).toMatchObject({ sender: B });
    await Promise.all([a.factory.close(), b.factory.close()]);
  });

  it("shares no buffer between writer and readers", async () => {
    const a = await open();
    const b = await open(a.bus);
    const c = await open(a.bus);
    await a.writer.write(update(A, 1, 7));
    const atB = (await b.reader.read()).value as PeerMessage;
    atB.frames[0]?.fill(0);
    const atC = (await c.reader.read()).value as PeerMessage;
    expect([...(atC.frames[0] ?? [])]).toEqual([7]);
    await Promise.all([a, b, c].map(({ factory }) => factory.close()));
  });

  it("keeps apart what has different buses", async () => {
    const a = await open();
    const stranger = await open();
    await a.writer.write(update(A, 1, 1));
    const b = await open(stranger.bus);
    await b.writer.write(update(B, 1, 2));
    expect((await stranger.reader.read()).value).toMatchObject({ sender: B });
    await Promise.all([a, b, stranger].map(({ factory }) => factory.close()));
  });
});
