import { encodeAwarenessFrame } from "@teleportal/sync-core";
import { createMemoryBus } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";
import { describe, expect, it } from "vitest";
import { createAwarenessClient } from "../document/awareness-client.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";

/** A bus that counts what is published: for documents, and on the channel that instances share. */
function createCountingBus(): MemoryBus & { documents: number; shared: number } {
  const bus = createMemoryBus();
  const counting = {
    documents: 0,
    shared: 0,
    publish(channel: string, bytes: Uint8Array) {
      if (channel.includes("\0")) counting.shared += 1;
      else counting.documents += 1;
      return bus.publish(channel, bytes);
    },
    subscribe: bus.subscribe,
  };
  return counting;
}

describe("presence that a client renews, as y-websocket's do every 15 s", () => {
  it("reaches the other instances' clients, many documents in few messages and none of their own", async () => {
    const bus = createCountingBus();
    const [a, b] = [await startInstance({ bus }), await startInstance({ bus })];
    const documents = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const alice = createAwarenessClient(1 + i);
        const writer = await connectRaw(a.url, `doc${i}`);
        const reader = await connectRaw(b.url, `doc${i}`);
        await Promise.all([writer.fence(), reader.fence()]);
        writer.send(encodeAwarenessFrame(alice.set({ cursor: i })));
        await reader.first("awareness");
        return { alice, i, writer, reader };
      }),
    );
    bus.documents = bus.shared = 0;
    await Promise.all(
      documents.map(async ({ alice, i, writer, reader }) => {
        const frame = encodeAwarenessFrame(alice.set({ cursor: i }));
        writer.send(frame);
        await expect
          .poll(() => reader.received.some(({ bytes }) => Buffer.compare(bytes, frame) === 0), {
            timeout: 10_000,
          })
          .toBe(true);
      }),
    );
    // Digests that follow the opening may still come.
    expect(bus.shared).toBeLessThan(10);
    expect(bus.documents).toBeLessThan(120);
  });

  it("does not outlive the client, however late it is", async () => {
    const bus = createMemoryBus();
    const [a, b] = [await startInstance({ bus }), await startInstance({ bus })];
    const alice = createAwarenessClient(1);
    const bob = createAwarenessClient(2);
    const writer = await connectRaw(a.url, "doc");
    const other = await connectRaw(a.url, "doc");
    const reader = await connectRaw(b.url, "doc");
    await Promise.all([writer.fence(), other.fence(), reader.fence()]);
    const shown = createAwarenessClient(3);
    let read = 0;
    const show = () => {
      for (; read < reader.received.length; read++) {
        const frame = reader.received[read]?.read;
        if (frame?.type === "awareness") shown.apply(frame.update);
      }
      return shown.shown;
    };
    writer.send(encodeAwarenessFrame(alice.set({ name: "alice" })));
    other.send(encodeAwarenessFrame(bob.set({ name: "bob" })));
    await expect.poll(() => show().length).toBe(2);
    // Both renew, and one leaves before the renewals are sent.
    writer.send(encodeAwarenessFrame(alice.set({ name: "alice" })));
    const renewal = encodeAwarenessFrame(bob.set({ name: "bob" }));
    other.send(renewal);
    await writer.fence();
    writer.socket.close();
    await expect
      .poll(() => reader.received.some(({ bytes }) => Buffer.compare(bytes, renewal) === 0), {
        timeout: 10_000,
      })
      .toBe(true);
    expect(show()).toEqual([[2, { name: "bob" }]]);
  });

  it("is that of those who have renewed since the last time, and of nobody else", async () => {
    const bus = createMemoryBus();
    const [a, b] = [await startInstance({ bus }), await startInstance({ bus })];
    const reader = await connectRaw(b.url, "doc");
    const clients = await Promise.all(
      [createAwarenessClient(1), createAwarenessClient(2)].map(async (awareness) => {
        const raw = await connectRaw(a.url, "doc");
        await raw.fence();
        raw.send(encodeAwarenessFrame(awareness.set({ cursor: 1 })));
        return { awareness, raw };
      }),
    );
    await expect
      .poll(() => reader.received.filter(({ read }) => read.type === "awareness").length)
      .toBe(2);
    for (const { awareness, raw } of clients) {
      const renewal = encodeAwarenessFrame(awareness.set({ cursor: 1 }));
      raw.send(renewal);
      await expect
        .poll(() => reader.received.some(({ bytes }) => Buffer.compare(bytes, renewal) === 0), {
          timeout: 10_000,
        })
        .toBe(true);
    }
  });
});
