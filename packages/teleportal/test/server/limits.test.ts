import {
  decodeClientFrame,
  encodeAwarenessFrame,
  encodeSyncStep1,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import { CloseCode } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { WebSocket } from "ws";
import * as Y from "yjs";
import { connectEditor, untilSyncedAgain } from "./connect-editor.ts";
import { holdClosing } from "./closing-document.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { connectRaw, presenceFrame, presenceState } from "./raw-client.ts";
import { createStallingSocket } from "./stalling-socket.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

const KIBIBYTE = 1024;

function bytesOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}

describe("a frame that is too large", () => {
  it("closes its sender with 1009, and others go on", async () => {
    const { url } = await startInstance({ limits: { frameBytes: 10 * KIBIBYTE } });
    const good = connectEditor(url, "doc");
    const greedy = await connectRaw(url, "doc");
    await Promise.all([good.synced, greedy.fence()]);
    greedy.send(encodeUpdateFrame(updateOf("x".repeat(10 * KIBIBYTE))));
    expect((await greedy.closed).code).toBe(CloseCode.tooLarge);
    const late = connectEditor(url, "doc");
    await late.synced;
    good.text.insert(0, "fine");
    await late.until((text) => text === "fine");
  });

  it("is refused by the server itself when its socket has no limit", async () => {
    const { server } = await startInstance({ limits: { frameBytes: 1000 } });
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    connection.receive(encodeUpdateFrame(updateOf("x".repeat(900))));
    expect(socket.closedWith).toBeUndefined();
    connection.receive(encodeUpdateFrame(updateOf("x".repeat(1001))));
    expect(socket.closedWith?.code).toBe(CloseCode.tooLarge);
    connection.closed();
  });
});

describe("a client that does not read", () => {
  it("is closed with 1013 and has everything when it is back, while others never waited", async () => {
    const { url } = await startInstance({ limits: { bufferedBytes: 256 * KIBIBYTE } });
    const alice = connectEditor(url, "doc");
    const bob = connectEditor(url, "doc");
    const slow = connectEditor(url, "doc");
    await Promise.all([alice.synced, bob.synced, slow.synced]);
    const socket = slow.provider.ws as unknown as WebSocket;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.pause();
    // More than the kernel's buffers and the limit together take.
    for (let i = 1; i <= 60; i++) {
      alice.text.insert(0, "x".repeat(256 * KIBIBYTE));
      await bob.until((text) => text.length === i * 256 * KIBIBYTE);
    }
    alice.text.delete(1, alice.text.length - 1);
    await bob.until((text) => text === "x");
    const again = untilSyncedAgain(slow);
    socket.resume();
    expect(await closed).toBe(CloseCode.tryAgainLater);
    await again;
    expect(slow.text.toString()).toBe("x");
  });

  it("holds no more of the server's memory than the limit", async () => {
    const limit = 64 * KIBIBYTE;
    const { server, url } = await startInstance({ limits: { bufferedBytes: limit } });
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    connection.receive(encodeSyncStep1(new Uint8Array([0])));
    const alice = connectEditor(url, "doc");
    const bob = connectEditor(url, "doc");
    await Promise.all([alice.synced, bob.synced]);
    for (let i = 0; i < 20; i++) alice.text.insert(0, "x".repeat(10 * KIBIBYTE));
    await bob.until((text) => text.length === 200 * KIBIBYTE);
    expect(socket.closedWith?.code).toBe(CloseCode.tryAgainLater);
    expect(bytesOf(socket.sent)).toBeLessThanOrEqual(limit);
    connection.closed();
  });

  it("may take its time with the first download, however large", async () => {
    const storage = createMemoryDocumentStorage();
    await storage.append("doc", [updateOf("x".repeat(500 * KIBIBYTE))]);
    const { server } = await startInstance({ storage, limits: { bufferedBytes: 64 * KIBIBYTE } });
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    connection.receive(presenceFrame(1, 1, { user: "patient" }));
    connection.receive(encodeSyncStep1(new Uint8Array([0])));
    await vi.waitFor(() => expect(bytesOf(socket.sent)).toBeGreaterThan(500 * KIBIBYTE));
    expect(socket.closedWith).toBeUndefined();
    connection.closed();
  });

  it("may take its time also with what others type behind its download", async () => {
    const storage = createMemoryDocumentStorage();
    await storage.append("doc", [updateOf("x".repeat(500 * KIBIBYTE))]);
    const { server, url } = await startInstance({
      storage,
      limits: { bufferedBytes: 64 * KIBIBYTE },
    });
    const alice = connectEditor(url, "doc");
    await alice.synced;
    alice.text.insert(0, "new");
    await connectEditor(url, "doc").until((text) => text.startsWith("new"));
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    await vi.waitFor(() => expect(socket.sent.length).toBeGreaterThan(0));
    socket.drain();
    connection.receive(encodeSyncStep1(new Uint8Array([0])));
    expect(socket.closedWith).toBeUndefined();
    const kinds = socket.sent.map((frame) => decodeClientFrame(frame).type);
    expect(kinds.filter((kind) => kind === "update").length).toBe(0);
    expect(kinds.at(-1)).toBe("sync-step-2");
    const before = socket.sent.length;
    alice.text.insert(0, "more");
    await vi.waitFor(() => expect(socket.sent.length).toBe(before + 1));
    expect(socket.closedWith).toBeUndefined();
    connection.closed();
  });

  it("cannot fill the memory by asking for the document again and again", async () => {
    const limit = 64 * KIBIBYTE;
    const size = 100 * KIBIBYTE;
    const storage = createMemoryDocumentStorage();
    await storage.append("doc", [updateOf("x".repeat(size))]);
    const { server } = await startInstance({ storage, limits: { bufferedBytes: limit } });
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    await vi.waitFor(() => expect(socket.sent.length).toBeGreaterThan(0));
    for (let i = 0; i < 100; i++) connection.receive(encodeSyncStep1(new Uint8Array([0])));
    expect(bytesOf(socket.sent)).toBeLessThanOrEqual(size + limit);
    expect(socket.closedWith).toBeUndefined();
    socket.drain();
    const before = bytesOf(socket.sent);
    connection.receive(encodeSyncStep1(new Uint8Array([0])));
    expect(bytesOf(socket.sent) - before).toBeGreaterThan(size);
    connection.closed();
  });

  it("is judged anew once it has read everything", async () => {
    const { server, url } = await startInstance({ limits: { bufferedBytes: 64 * KIBIBYTE } });
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    connection.receive(encodeSyncStep1(new Uint8Array([0])));
    const alice = connectEditor(url, "doc");
    const bob = connectEditor(url, "doc");
    await Promise.all([alice.synced, bob.synced]);
    for (let i = 1; i <= 20; i++) {
      alice.text.insert(0, "x".repeat(30 * KIBIBYTE));
      await bob.until((text) => text.length === i * 30 * KIBIBYTE);
      socket.drain();
    }
    expect(bytesOf(socket.sent)).toBeGreaterThan(600 * KIBIBYTE);
    expect(socket.closedWith).toBeUndefined();
    connection.closed();
  });
});

describe("before a document is open", () => {
  async function startHeld() {
    const storage = createGatedStorage();
    const open = storage.hold("load");
    const instance = await startInstance({
      storage,
      limits: { bufferedBytes: 64 * KIBIBYTE, frameBytes: 64 * KIBIBYTE },
    });
    onTestFinished(open);
    return { ...instance, open };
  }

  it("what a client sends waits, and is handled in order then", async () => {
    const { url, open } = await startHeld();
    const client = await connectRaw(url, "doc");
    client.send(encodeUpdateFrame(updateOf("early")));
    client.send(encodeSyncStep1(new Uint8Array([0])));
    open();
    const answer = await client.first("sync-step-2");
    const doc = new Y.Doc();
    Y.applyUpdate(doc, answer.subarray(3));
    expect(doc.getText("text").toString()).toBe("early");
  });

  it("a client may not make much wait: it is closed with 1013", async () => {
    const { url, open } = await startHeld();
    const client = await connectRaw(url, "doc");
    for (let i = 0; i < 10; i++) client.send(encodeUpdateFrame(updateOf("x".repeat(10_000))));
    expect((await client.closed).code).toBe(CloseCode.tryAgainLater);
    open();
  });

  it.each([
    ["empty", new Uint8Array()],
    ["tiny", new Uint8Array([3])],
  ])("%s frames count as the memory they take", async (_, frame) => {
    const { server, open } = await startHeld();
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    for (let i = 0; i < 10_000; i++) connection.receive(frame);
    expect(socket.closedWith?.code).toBe(CloseCode.tryAgainLater);
    connection.closed();
    open();
  });
});

describe("too many", () => {
  it("documents: a further one is refused with 1013 until one is closed", async () => {
    const { url, server } = await startInstance({ limits: { documents: 2 } });
    const first = await connectRaw(url, "one");
    const second = await connectRaw(url, "two");
    await Promise.all([first.fence(), second.fence()]);
    const third = await connectRaw(url, "three");
    expect(await third.closed).toEqual({ code: 1013, reason: "too many documents" });
    await (await connectRaw(url, "two")).fence();
    first.socket.close();
    await vi.waitFor(() => expect(server.size.documents).toBe(1));
    await (await connectRaw(url, "three")).fence();
  });

  it("connections to one document: a further one is refused with 1013 until one is closed", async () => {
    const { url, server } = await startInstance({ limits: { connectionsPerDocument: 2 } });
    const first = await connectRaw(url, "doc");
    await first.fence();
    await (await connectRaw(url, "doc")).fence();
    const third = await connectRaw(url, "doc");
    expect(await third.closed).toEqual({
      code: 1013,
      reason: "too many connections to the document",
    });
    await (await connectRaw(url, "another")).fence();
    first.socket.close();
    await vi.waitFor(() => expect(server.size.connections).toBe(2));
    await (await connectRaw(url, "doc")).fence();
  });

  it.each([
    ["documents", { documents: 3 }, (i: number) => `doc${i}`],
    ["connections to one document", { connectionsPerDocument: 3 }, () => "doc"],
  ])("%s at once: no more get in while permissions are being asked", async (_, limits, name) => {
    let grant!: () => void;
    const granted = new Promise<void>((resolve) => {
      grant = resolve;
    });
    const { server } = await startInstance({
      limits,
      checkPermission: () => granted.then(() => true),
    });
    const clients = Array.from({ length: 10 }, (_unused, i) => {
      const socket = createStallingSocket();
      const connection = server.connect(socket, { documentId: name(i), context: undefined });
      return { socket, connection };
    });
    grant();
    await vi.waitFor(() => {
      expect(clients.every(({ socket }) => socket.closedWith || socket.sent.length > 0)).toBe(true);
    });
    const refused = clients.filter(({ socket }) => socket.closedWith?.code === 1013);
    expect(refused.length).toBe(7);
    expect(server.size.documents).toBeLessThanOrEqual(3);
    for (const { connection } of clients) connection.closed();
  });
});

describe("presence", () => {
  it("beyond the limit closes its client with 1009, nobody has seen it, and others go on", async () => {
    const { url } = await startInstance({ limits: { presenceBytes: 1000 } });
    const [greedy, witness] = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
    greedy.send(presenceFrame(1, 1, { name: "x".repeat(500) }));
    await witness.first("awareness");
    // In place of the former, not beside it.
    greedy.send(presenceFrame(1, 2, { name: "y".repeat(600) }));
    await greedy.fence();
    greedy.send(presenceFrame(2, 1, { name: "z".repeat(500) }));
    expect((await greedy.closed).code).toBe(CloseCode.tooLarge);
    await witness.fence();
    const seen = witness.received.map(({ bytes }) => new TextDecoder().decode(bytes)).join("");
    expect(seen).toContain("yyy");
    expect(seen).not.toContain("zzz");
    const late = await connectRaw(url, "doc");
    await late.fence();
    expect(late.received.filter(({ read }) => read.type === "awareness")).toEqual([]);
  });

  it("beyond the limit by far ends its client alone, and the server goes on", async () => {
    const { url, server } = await startInstance({ limits: { presenceBytes: 1000 } });
    const [greedy, witness] = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
    await Promise.all([greedy.fence(), witness.fence()]);
    const [small, large] = [presenceState(1, 1, "x"), presenceState(2, 1, "y".repeat(5000))];
    greedy.send(encodeAwarenessFrame(new Uint8Array([2, ...small, ...large])));
    expect((await greedy.closed).code).toBe(CloseCode.tooLarge);
    await vi.waitFor(() => expect(server.size.connections).toBe(1));
    await witness.fence();
  });

  it("that is too large does not take the place of somebody else's", async () => {
    const { url } = await startInstance({ limits: { presenceBytes: 1000 } });
    const [greedy, owner] = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
    owner.send(presenceFrame(1, 1, "owner"));
    await Promise.all([greedy.first("awareness"), owner.fence()]);
    greedy.send(presenceFrame(1, 2, "y".repeat(5000)));
    expect((await greedy.closed).code).toBe(CloseCode.tooLarge);
    const late = await connectRaw(url, "doc");
    expect(new TextDecoder().decode(await late.first("awareness"))).toContain("owner");
    expect(owner.received.filter(({ read }) => read.type === "awareness")).toEqual([]);
  });

  it("of many tiny states counts as the memory they take", async () => {
    const { url } = await startInstance({ limits: { presenceBytes: 10_000 } });
    const greedy = await connectRaw(url, "doc");
    for (let client = 1; client <= 200; client++) greedy.send(presenceFrame(client, 1, 0));
    expect((await greedy.closed).code).toBe(CloseCode.tooLarge);
  });

  it("that is given up makes room for other", async () => {
    const { url } = await startInstance({ limits: { presenceBytes: 1000 } });
    const client = await connectRaw(url, "doc");
    for (let id = 1; id <= 10; id++) {
      client.send(presenceFrame(id, 1, { name: "x".repeat(500) }));
      client.send(presenceFrame(id, 2, null));
    }
    await client.fence();
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});

describe("connections that wait for a document to be closed, to open it anew", () => {
  it("count as its connections", async () => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage, limits: { connectionsPerDocument: 2 } });
    const closed = await holdClosing(storage, url, "doc");
    const waiting = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
    await vi.waitFor(() => expect(server.size.connections).toBe(2));
    const third = await connectRaw(url, "doc");
    expect((await third.closed).code).toBe(CloseCode.tryAgainLater);
    closed();
    await Promise.all(waiting.map((client) => client.fence()));
  });
});
