import { DEFAULT_KEY_PREFIX, decodeEnvelope, encodeUpdateFrame } from "@teleportal/sync-core";
import type { Message, PeerMessage } from "@teleportal/sync-core";
import { createMemoryBus } from "@teleportal/sync-memory";
import type { DocumentStorage } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { connectEditor } from "./connect-editor.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

/** A peer that says what a test has it say, to one document; nobody else is there. */
function createScriptedPeer() {
  const sender = "00000000000000aa";
  let controller: ReadableStreamDefaultController<Message> | undefined;
  const readable = new ReadableStream<Message>({ start: (started) => void (controller = started) });
  return {
    factory: {
      async createTransport() {
        controller?.enqueue({ kind: "alone" });
        return { readable, writable: new WritableStream<Message>() };
      },
      async close() {},
    },
    say(what: Pick<PeerMessage, "kind" | "seq" | "frames"> | { readonly kind: "gone" }) {
      controller?.enqueue("frames" in what ? { sender, epoch: 1, ...what } : { sender, ...what });
    },
  };
}

/** A memory storage that counts how often it is written to. */
function createCountingStorage(): DocumentStorage & { appends: number } {
  const storage = createMemoryDocumentStorage();
  const counting = {
    ...storage,
    appends: 0,
    append(documentId: string, updates: readonly Uint8Array[]) {
      counting.appends += 1;
      return storage.append(documentId, updates);
    },
  };
  return counting;
}

it("what a client types is stored at once, and by its peers many keystrokes at a time, all of it", async () => {
  const bus = createMemoryBus();
  const [here, there] = [createCountingStorage(), createCountingStorage()];
  const a = await startInstance({ bus, storage: here });
  const b = await startInstance({ bus, storage: there });
  const typist = await connectRaw(a.url, "doc");
  const reader = await connectRaw(b.url, "doc");
  await Promise.all([typist.fence(), reader.fence()]);

  const doc = new Y.Doc();
  const frames: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => frames.push(encodeUpdateFrame(update)));
  for (let i = 0; i < 200; i++) doc.getText("text").insert(i, "x");
  for (const frame of frames) {
    typist.send(frame);
    // Each in a turn of its own.
    await typist.fence();
  }
  await expect
    .poll(() => reader.received.filter(({ read }) => read.type === "update").length)
    .toBe(200);
  expect(here.appends).toBe(200);
  expect(there.appends).toBeLessThan(here.appends);

  // Whoever leaves last waits for no timer.
  typist.socket.close();
  reader.socket.close();
  await expect.poll(() => [a.server.size.documents, b.server.size.documents]).toEqual([0, 0]);
  for (const storage of [here, there]) {
    const stored = new Y.Doc();
    for (const update of await storage.load("doc")) Y.applyUpdate(stored, update);
    expect(stored.getText("text").toString()).toBe("x".repeat(200));
  }
});

it("what is typed and erased for long does not pile up in the storage while the document is open", async () => {
  const storage = createMemoryDocumentStorage();
  const { url } = await startInstance({ storage });
  const typist = await connectRaw(url, "doc");
  const doc = new Y.Doc();
  const frames: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => frames.push(encodeUpdateFrame(update)));
  for (let i = 0; i < 4500; i++) {
    if (i % 2 === 0) doc.getText("text").insert(0, "x");
    else doc.getText("text").delete(0, 1);
  }
  for (const frame of frames) typist.send(frame);
  await typist.fence();
  await expect
    .poll(async () => {
      const updates = await storage.load("doc");
      const stored = new Y.Doc();
      for (const update of updates) Y.applyUpdate(stored, update);
      return {
        few: updates.length < 2100,
        all: Buffer.compare(Y.encodeStateVector(stored), Y.encodeStateVector(doc)) === 0,
      };
    })
    .toEqual({ few: true, all: true });
});

describe("two instances", () => {
  it("hear of each other's edits before a storage is asked to take them", async () => {
    const order: string[] = [];
    const memory = createMemoryBus();
    const bus: typeof memory = {
      ...memory,
      publish(channel, bytes) {
        // Names with NUL are the transport's own.
        if (!channel.includes("\0")) order.push("published");
        return memory.publish(channel, bytes);
      },
    };
    const storage = createMemoryDocumentStorage();
    const ordered: DocumentStorage = {
      ...storage,
      append(documentId, updates) {
        order.push("stored");
        return storage.append(documentId, updates);
      },
    };
    const a = await startInstance({ bus, storage: ordered });
    const b = await startInstance({ bus });
    const [alice, bob] = [connectEditor(a.url, "doc"), connectEditor(b.url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    order.length = 0;
    alice.text.insert(0, "first");
    await bob.until((text) => text === "first");
    await expect.poll(() => order).toContain("stored");
    expect(order[0]).toBe("published");
  });

  it("with one storage store an edit once, by the one that took it", async () => {
    const bus = createMemoryBus();
    const shared = createMemoryDocumentStorage({ shared: true });
    const appended: string[] = [];
    const storageOf = (name: string): DocumentStorage => ({
      ...shared,
      async append(documentId, updates) {
        appended.push(name);
        await shared.append(documentId, updates);
      },
    });
    const a = await startInstance({ bus, storage: storageOf("a") });
    const b = await startInstance({ bus, storage: storageOf("b") });
    const confirmations = new Set<string>();
    bus.subscribe(`${DEFAULT_KEY_PREFIX}doc`, (bytes) => {
      const read = decodeEnvelope(bytes);
      if (read.type !== "messages") return;
      for (const { kind, seq, sender, frames } of read.messages) {
        if (kind === "digest" && seq > 0 && frames.length > 1) confirmations.add(sender);
      }
    });
    const [alice, bob] = [connectEditor(a.url, "doc"), connectEditor(b.url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "one");
    await bob.until((text) => text === "one");
    bob.text.insert(3, " two");
    await alice.until((text) => text === "one two");
    await expect.poll(() => appended).toEqual(["a", "b"]);
    // Each has heard from the other that it has stored its own by the time it has sent what follows activity.
    await expect.poll(() => confirmations.size, { timeout: 5000 }).toBe(2);
    await Promise.all([a.server.close(), b.server.close()]);
    expect(appended).toEqual(["a", "b"]);
    const doc = new Y.Doc();
    for (const update of await shared.load("doc")) Y.applyUpdate(doc, update);
    expect(doc.getText("text").toString()).toBe("one two");
  });

  it("with one storage store what the other one has not come to storing before it died", async () => {
    const peer = createScriptedPeer();
    const storage = createMemoryDocumentStorage({ shared: true });
    const { url, server } = await startInstance({ storage, syncTransportFactory: peer.factory });
    const reader = connectEditor(url, "doc");
    await reader.synced;
    const [first, second] = [updateOf("stored "), updateOf("not stored")];
    peer.say({ kind: "update", seq: 1, frames: [encodeUpdateFrame(first)] });
    // An empty second frame: the storage has all that was sent so far.
    peer.say({ kind: "digest", seq: 1, frames: [new Uint8Array(8), new Uint8Array()] });
    peer.say({ kind: "update", seq: 2, frames: [encodeUpdateFrame(second)] });
    await reader.until((text) => text.length === "stored not stored".length);
    expect(await storage.load("doc")).toEqual([]);
    peer.say({ kind: "gone" });
    await expect.poll(() => storage.load("doc")).toEqual([second]);
    await server.close();
  });

  it.each([
    ["has said that it is stored, and left", true],
    ["has said nothing of, as the document is closed here first", false],
  ])("with one storage leave out, or store, what a peer %s", async (_, confirmed) => {
    const peer = createScriptedPeer();
    const storage = createMemoryDocumentStorage({ shared: true });
    const { url, server } = await startInstance({ storage, syncTransportFactory: peer.factory });
    const reader = connectEditor(url, "doc");
    await reader.synced;
    const update = updateOf("typed there");
    peer.say({ kind: "update", seq: 1, frames: [encodeUpdateFrame(update)] });
    await reader.until((text) => text === "typed there");
    if (confirmed) peer.say({ kind: "leave", seq: 1, frames: [new Uint8Array()] });
    // Behind that, so it has come when this is there.
    peer.say({ kind: "update", seq: 2, frames: [encodeUpdateFrame(updateOf("!"))] });
    await reader.until((text) => text.includes("!"));
    await server.close();
    const doc = new Y.Doc();
    for (const stored of await storage.load("doc")) Y.applyUpdate(doc, stored);
    expect(doc.getText("text").toString().includes("typed there")).toBe(!confirmed);
  });

  it("with one storage do not pile up what a peer replaces again and again", async () => {
    const peer = createScriptedPeer();
    const storage = createMemoryDocumentStorage({ shared: true });
    const { url } = await startInstance({ storage, syncTransportFactory: peer.factory });
    const reader = connectEditor(url, "doc");
    await reader.synced;
    const doc = new Y.Doc();
    let seq = 0;
    doc.on("update", (update: Uint8Array) => {
      seq += 1;
      peer.say({ kind: "update", seq, frames: [encodeUpdateFrame(new Uint8Array(update))] });
    });
    // Too large to be gathered with others.
    for (let i = 0; i < 50; i++) doc.getMap("map").set("value", `${i} `.repeat(2000));
    await reader.until(
      () => reader.doc.getMap("map").get("value") === doc.getMap("map").get("value"),
    );
    const downloadBytes = async (): Promise<number> => {
      const client = await connectRaw(url, "doc");
      await client.fence();
      client.socket.close();
      return client.received.reduce((bytes, frame) => bytes + frame.bytes.length, 0);
    };
    await expect.poll(downloadBytes, { timeout: 5000 }).toBeLessThan(40_000);
  });

  it("with a storage each store everything each", async () => {
    const bus = createMemoryBus();
    const [storageA, storageB] = [createGatedStorage(), createGatedStorage()];
    const a = await startInstance({ bus, storage: storageA });
    const b = await startInstance({ bus, storage: storageB });
    const [alice, bob] = [connectEditor(a.url, "doc"), connectEditor(b.url, "doc")];
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "both");
    await bob.until((text) => text === "both");
    await Promise.all([a.server.close(), b.server.close()]);
    expect(await storageA.storedText("doc")).toBe("both");
    expect(await storageB.storedText("doc")).toBe("both");
  });
});
