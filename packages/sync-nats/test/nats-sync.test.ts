import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { isPeerMessage, silentLogger } from "@teleportal/sync-core";
import { findNats, requireBroker, startNats } from "@teleportal/test-brokers";
import { openTransport, update } from "@teleportal/test-transports";
import { useNats } from "./use-nats.ts";

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

const requirement = requireBroker("NATS", findNats());

describe.skipIf(requirement.skip)(`sync-nats on a ${requirement.title}`, () => {
  const { fromUrl } = useNats();

  it("carries messages between instances, whole and in order", async () => {
    const a = await openTransport(await fromUrl(), "doc");
    const b = await openTransport(await fromUrl(), "doc");
    for (let seq = 1; seq <= 100; seq++) await a.writer.write(update(A, seq, seq, 0, 255));
    for (let seq = 1; seq <= 100; seq++) {
      expect(await b.next()).toMatchObject(update(A, seq, seq, 0, 255));
    }
  });

  it("does not get its own messages back", async () => {
    const factory = await fromUrl();
    const a = await openTransport(factory, "doc");
    const b = await openTransport(await fromUrl(), "doc");
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
    await openTransport(plain, "doc123");
    await openTransport(plain, "room1/doc456");
    await openTransport(custom, "doc123");
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
      const from = await openTransport(left, id);
      const to = await openTransport(right, id);
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

  it("carries large messages in parts that fit, also when the server takes less", async () => {
    await using small = await startNats({ maxPayload: 64 * 1024 });
    const from = await openTransport(await fromUrl(small.url), "doc");
    const to = await openTransport(await fromUrl(small.url), "doc");
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
});
