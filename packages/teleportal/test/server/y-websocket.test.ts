import { createMemoryBus } from "@teleportal/sync-memory";
import { createMemoryDocumentStorage } from "teleportal/storage";
import {
  decodeClientFrame,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import { connectEditor, untilPresent, untilSyncedAgain } from "./connect-editor.ts";
import { connectRaw, deniedReason, presenceFrame } from "./raw-client.ts";
import { createStallingSocket } from "./stalling-socket.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

/** Which operations an update carries: client, first clock, and the one behind the last. */
function operationsIn(update: Uint8Array = new Uint8Array([0, 0])): [number, number, number][] {
  return readUpdate(update).runs.map(({ client, start, end }) => [client, start, end]);
}

/** Two instances of one deployment. */
async function startTwo() {
  const bus = createMemoryBus();
  return [await startInstance({ bus }), await startInstance({ bus })] as const;
}

describe("a URL's path", () => {
  it.each([
    ["doc123", "doc123", undefined],
    ["room1/doc456", "room1/doc456", "room1"],
    ["room1/folder/doc", "room1/folder/doc", "room1"],
    ["a%20b%2Fc%25", "a b/c%", "a b"],
    ["%E6%96%87%E6%9B%B8/%F0%9F%93%84", "文書/📄", "文書"],
    ["文書", "文書", undefined],
    ["doc?token=a/b", "doc", undefined],
    ["a+b&c=d;e", "a+b&c=d;e", undefined],
    ["..%2F..%2Fetc%2Fpasswd", "../../etc/passwd", ".."],
  ])("/%s is document %s", async (path, documentId, room) => {
    const checkPermission = vi.fn(() => true);
    const { url } = await startInstance({ checkPermission });
    const client = await connectRaw(url, path);
    await client.first("sync-step-1");
    expect(checkPermission).toHaveBeenCalledWith({
      documentId,
      room,
      context: undefined,
      type: "read",
    });
  });

  it("leads clients who write it differently into one document, and others into another", async () => {
    const { url } = await startInstance();
    const alice = connectEditor(url, "r%C3%A9sum%C3%A9/a%20b");
    const bob = connectEditor(url, "résumé/a b?version=2");
    const carol = connectEditor(url, "résumé/a");
    await Promise.all([alice.synced, bob.synced, carol.synced]);
    alice.text.insert(0, "same");
    await bob.until((text) => text === "same");
    carol.text.insert(0, "another");
    const dave = connectEditor(url, "résumé/a");
    await dave.until((text) => text === "another");
    expect(carol.text.toString()).toBe("another");
  });
});

describe("clients in one document", () => {
  it("hold the same text on both instances, whoever types where", async () => {
    const [a, b] = await startTwo();
    const editors = [a, b, a, b].map(({ url }) => connectEditor(url, "doc"));
    await Promise.all(editors.map((editor) => editor.synced));
    editors.forEach((editor, i) => editor.text.insert(0, String(i)));
    await Promise.all(editors.map((editor) => editor.until((text) => text.length === 4)));
    const texts = editors.map((editor) => editor.text.toString());
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]?.split("").sort().join("")).toBe("0123");
  });

  it("are never sent back what they typed", async () => {
    const [a, b] = await startTwo();
    const typist = await connectRaw(a.url, "doc");
    const reader = connectEditor(b.url, "doc");
    await Promise.all([typist.fence(), reader.synced]);
    typist.send(encodeUpdateFrame(updateOf("mine")));
    await reader.until((text) => text === "mine");
    reader.text.insert(4, "!");
    const read = decodeClientFrame(await typist.first("update"));
    const update = read.type === "update" ? new Uint8Array(read.update) : undefined;
    expect(operationsIn(update)).toEqual([[reader.doc.clientID, 0, 1]]);
  });

  it("get the very frame that was typed", async () => {
    const [a, b] = await startTwo();
    const [typist, here, there] = [
      await connectRaw(a.url, "doc"),
      await connectRaw(a.url, "doc"),
      await connectRaw(b.url, "doc"),
    ];
    await Promise.all([typist.fence(), here.fence(), there.fence()]);
    const frame = encodeUpdateFrame(updateOf("as it is"));
    typist.send(frame);
    expect(await here.first("update")).toEqual(new Uint8Array(frame));
    expect(await there.first("update")).toEqual(new Uint8Array(frame));
  });
});

describe("presence", () => {
  async function startFour() {
    const [a, b] = await startTwo();
    const [alice, bob, carol, dave] = [a, a, b, b].map(({ url }) => connectEditor(url, "doc"));
    if (!alice || !bob || !carol || !dave) throw new Error("four are started");
    await Promise.all([alice, bob, carol, dave].map((editor) => editor.synced));
    alice.provider.awareness.setLocalState({ user: "alice" });
    bob.provider.awareness.setLocalState({ user: "bob" });
    carol.provider.awareness.setLocalState({ user: "carol" });
    dave.provider.awareness.setLocalState({ user: "dave" });
    const everybody = ["alice", "bob", "carol", "dave"];
    await Promise.all([alice, bob, carol, dave].map((editor) => untilPresent(editor, everybody)));
    return { a, b, alice, bob, carol, dave };
  }

  it("of everybody is shown on both instances, and to who comes later", async () => {
    const { a, b } = await startFour();
    for (const { url } of [a, b]) {
      const late = connectEditor(url, "doc");
      late.provider.awareness.setLocalState({ user: "late" });
      await untilPresent(late, ["alice", "bob", "carol", "dave", "late"]);
      late.destroy();
    }
  });

  it("of a client that leaves is removed on both instances, and nobody else's", async () => {
    const { b, alice, bob, carol, dave } = await startFour();
    bob.destroy();
    const left = ["alice", "carol", "dave"];
    await Promise.all([alice, carol, dave].map((editor) => untilPresent(editor, left)));
    const late = connectEditor(b.url, "doc");
    late.provider.awareness.setLocalState(null);
    await untilPresent(late, left);
  });

  it("of a client whose link breaks is removed on both instances, and nobody else's", async () => {
    const { a, alice, bob, carol, dave } = await startFour();
    const fragile = await connectRaw(a.url, "doc");
    fragile.send(presenceFrame(77, 1, { user: "fragile" }));
    const everybody = ["alice", "bob", "carol", "dave", "fragile"];
    await Promise.all([alice, bob, carol, dave].map((editor) => untilPresent(editor, everybody)));
    fragile.socket.terminate();
    const left = ["alice", "bob", "carol", "dave"];
    await Promise.all([alice, bob, carol, dave].map((editor) => untilPresent(editor, left)));
  });

  it("of a client that comes back is shown again at once, on both instances", async () => {
    const [a, b] = await startTwo();
    const [alice, bob, carol] = [a, a, b].map(({ url }) => connectEditor(url, "doc"));
    if (!alice || !bob || !carol) throw new Error("three clients are needed");
    await Promise.all([alice.synced, bob.synced, carol.synced]);
    alice.provider.awareness.setLocalStateField("user", "alice");
    bob.provider.awareness.setLocalStateField("user", "bob");
    carol.provider.awareness.setLocalStateField("user", "carol");
    await Promise.all([bob, carol].map((who) => untilPresent(who, ["alice", "bob", "carol"])));
    alice.provider.ws?.close();
    await Promise.all([bob, carol].map((who) => untilPresent(who, ["bob", "carol"])));
    // Its provider reconnects by itself, and announces it with the clock that everybody knows.
    await Promise.all([bob, carol].map((who) => untilPresent(who, ["alice", "bob", "carol"])));
  });

  it("stays when a client leaves that has only repeated it, as y-websocket does", async () => {
    const { url } = await startInstance();
    const [alice, bob, carol] = [
      await connectRaw(url, "doc"),
      await connectRaw(url, "doc"),
      await connectRaw(url, "doc"),
    ];
    const cursor = presenceFrame(1, 1, { user: "alice" });
    alice.send(cursor);
    expect(await bob.first("awareness")).toEqual(cursor);
    bob.send(cursor);
    await bob.fence();
    bob.socket.close();
    await bob.closed;
    carol.send(new Uint8Array([3]));
    await carol.fence();
    expect(carol.received.filter(({ read }) => read.type === "awareness").at(-1)?.bytes).toEqual(
      cursor,
    );
    alice.socket.terminate();
    const gone = presenceFrame(1, 1, null);
    await vi.waitFor(() => expect(carol.received.at(-1)?.bytes).toEqual(gone));
  });

  it("is told to whoever queries it, and nothing is told when nobody is there", async () => {
    const { url } = await startInstance();
    const client = await connectRaw(url, "doc");
    client.send(new Uint8Array([3]));
    await client.fence();
    expect(client.received.filter(({ read }) => read.type === "awareness")).toEqual([]);
    const frame = presenceFrame(5, 1, { user: "eve" });
    client.send(frame);
    client.send(new Uint8Array([3]));
    expect(await client.first("awareness")).toEqual(frame);
  });
});

describe("a client that comes back", () => {
  it("gets what it missed and nothing else, and uploads what it typed offline", async () => {
    const [a, b] = await startTwo();
    const alice = connectEditor(a.url, "doc");
    const bob = connectEditor(b.url, "doc");
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "before ");
    await bob.until((text) => text === "before ");

    bob.provider.disconnect();
    alice.text.insert(7, "missed ");
    bob.text.insert(0, "offline ");
    const uploaded = alice.until((text) => text === "offline before missed ");
    const received: Uint8Array[] = [];
    bob.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === bob.provider) received.push(update);
    });
    bob.provider.connect();
    await bob.until((text) => text === "offline before missed ");
    await uploaded;
    expect(received.flatMap((update) => operationsIn(update))).toEqual([
      [alice.doc.clientID, 7, 14],
    ]);
  });

  it("is sent only the difference to what it says it holds", async () => {
    const { url } = await startInstance();
    const alice = connectEditor(url, "doc");
    await alice.synced;
    alice.text.insert(0, "x".repeat(1000));
    const stateVector = Y.encodeStateVector(alice.doc);
    alice.text.insert(1000, "new");
    const client = await connectRaw(url, "doc");
    await client.first("sync-step-1");
    await connectEditor(url, "doc").until((text) => text.endsWith("new"));
    client.send(encodeSyncStep1(stateVector));
    const answer = await client.first("sync-step-2");
    expect(answer.length).toBeLessThan(50);
    const read = client.received.at(-1)?.read;
    const update = read?.type === "sync-step-2" ? new Uint8Array(read.update) : undefined;
    expect(operationsIn(update)).toEqual([[alice.doc.clientID, 1000, 1003]]);
  });

  it("reconnects by itself when its link breaks, and is in step again", async () => {
    const { url } = await startInstance();
    const alice = connectEditor(url, "doc");
    const bob = connectEditor(url, "doc");
    await Promise.all([alice.synced, bob.synced]);
    const again = untilSyncedAgain(bob);
    bob.provider.ws?.close();
    alice.text.insert(0, "meanwhile");
    await again;
    expect(bob.text.toString()).toBe("meanwhile");
  });
});

describe("a late joiner", () => {
  it("is not told `synced` before everything is there: snapshot and what came since", async () => {
    const doc = new Y.Doc();
    // More than a client is sent in one frame.
    for (let i = 0; i < 30; i++) doc.getText("text").insert(0, "s".repeat(100_000));
    const storage = createMemoryDocumentStorage();
    await storage.append("doc", [Y.encodeStateAsUpdate(doc)]);
    const { url } = await startInstance({ storage });
    const alice = connectEditor(url, "doc");
    await alice.synced;
    for (let i = 0; i < 50; i++) alice.text.insert(alice.text.length, "!");
    const client = await connectRaw(url, "doc");
    await client.fence();
    const kinds = client.received.map(({ read }) => read.type);
    expect(kinds.filter((kind) => kind === "update").length).toBeGreaterThan(1);
    expect(kinds.at(-1)).toBe("sync-step-2");

    const bob = connectEditor(url, "doc");
    const atSync = bob.synced.then(() => bob.text.length);
    expect(await atSync).toBe(3_000_050);
  });

  it("on another instance is not told `synced` before its peers' state is there", async () => {
    const [a, b] = await startTwo();
    const alice = connectEditor(a.url, "doc");
    await alice.synced;
    alice.text.insert(0, "default content");
    const fence = connectEditor(a.url, "doc");
    await fence.until((text) => text === "default content");
    const bob = connectEditor(b.url, "doc");
    expect(await bob.synced.then(() => bob.text.toString())).toBe("default content");
  });

  it("of an empty document is told at once that it is empty", async () => {
    const { url } = await startInstance();
    const client = await connectRaw(url, "doc");
    await client.fence();
    const kinds = client.received.map(({ read }) => read.type);
    expect(kinds).toEqual(["sync-step-1", "sync-step-2"]);
  });

  it("does not download text that was typed and erased", async () => {
    const { url } = await startInstance();
    const alice = connectEditor(url, "doc");
    await alice.synced;
    for (let i = 0; i < 100; i++) alice.text.insert(0, "y".repeat(2000));
    alice.text.delete(0, alice.text.length);
    alice.text.insert(0, "z");
    await connectEditor(url, "doc").until((text) => text === "z");
    const client = await connectRaw(url, "doc");
    await client.fence();
    const bytes = client.received.reduce((sum, frame) => sum + frame.bytes.length, 0);
    expect(bytes).toBeLessThanOrEqual(2 * Y.encodeStateAsUpdate(alice.doc).length);
  });
});

describe("permission", () => {
  it("to read that is denied closes the client with the reason, and nobody opens the document", async () => {
    const getStorage = vi.fn(() => createMemoryDocumentStorage());
    const { url } = await startInstance({
      checkPermission: ({ type }) => type !== "read",
      getStorage,
    });
    const client = await connectRaw(url, "secret");
    expect(deniedReason(await client.first("auth"))).toBe("no permission to read secret");
    expect(await client.closed).toEqual({ code: 4403, reason: "no permission to read" });
    expect(client.received.map(({ read }) => read.type)).toEqual(["auth"]);
    expect(getStorage).not.toHaveBeenCalled();
  });

  it("to read that is denied makes a y-websocket client give up instead of knocking on", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { url } = await startInstance({ checkPermission: () => false });
    const client = connectEditor(url, "secret");
    const closed = await new Promise<{ code: number }>((resolve) => {
      client.provider.once("closed", resolve);
    });
    expect(closed.code).toBe(4403);
    expect(client.provider.shouldConnect).toBe(false);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("no permission to read secret"));
    warn.mockRestore();
  });

  it("to write that is denied lets the client read on, and others see nothing of it", async () => {
    const bus = createMemoryBus();
    const readOnly = await startInstance({ bus, checkPermission: ({ type }) => type === "read" });
    const other = await startInstance({ bus });
    const alice = connectEditor(other.url, "doc");
    await alice.synced;
    alice.text.insert(0, "hello");
    const intruder = await connectRaw(readOnly.url, "doc");
    await intruder.fence();
    intruder.send(encodeUpdateFrame(updateOf("intruder ")));
    expect(deniedReason(await intruder.first("auth"))).toBe("no permission to write doc");
    intruder.send(encodeSyncStep2(updateOf("again ")));
    await intruder.fence();
    alice.text.insert(5, " world");
    await intruder.first("update");
    for (const { url } of [readOnly, other]) {
      const reader = connectEditor(url, "doc");
      await reader.synced;
      expect(reader.text.toString()).toBe("hello world");
    }
    expect(intruder.socket.readyState).toBe(intruder.socket.OPEN);
    expect(intruder.received.filter(({ read }) => read.type === "auth").length).toBe(2);
  });

  it("to write is not asked of a client that only reads", async () => {
    const checkPermission = vi.fn(({ type }: { type: string }) => type === "read");
    const storage = createMemoryDocumentStorage();
    await storage.append("doc", [updateOf("stored")]);
    const { url } = await startInstance({ checkPermission, storage });
    const reader = connectEditor(url, "doc");
    await reader.synced;
    // Its SyncStep2 is behind its SyncStep1; a second round comes after both.
    const again = untilSyncedAgain(reader);
    reader.provider.ws?.close();
    await again;
    const raw = await connectRaw(url, "doc");
    raw.send(encodeSyncStep2(updateOf("")));
    raw.send(encodeSyncStep2(Y.encodeStateAsUpdate(reader.doc)));
    await raw.fence();
    expect(raw.received.filter(({ read }) => read.type === "auth")).toEqual([]);
    expect(checkPermission.mock.calls.map(([{ type }]) => type)).toEqual(["read", "read", "read"]);
  });

  it("to write is asked once, and what was typed meanwhile keeps its order", async () => {
    let grant: ((granted: boolean) => void) | undefined;
    const asked = vi.fn();
    const { url } = await startInstance({
      checkPermission({ type }) {
        if (type === "read") return true;
        asked();
        return new Promise((resolve) => {
          grant = resolve;
        });
      },
    });
    const typist = connectEditor(url, "doc");
    const reader = connectEditor(url, "doc");
    await Promise.all([typist.synced, reader.synced]);
    for (const letter of "patience") typist.text.insert(typist.text.length, letter);
    await vi.waitFor(() => expect(grant).toBeDefined());
    grant?.(true);
    await reader.until((text) => text === "patience");
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("counts as denied when checkPermission throws, and that is logged", async () => {
    const { url, log } = await startInstance({
      checkPermission({ documentId }) {
        if (documentId === "broken") throw new Error("the user database is away");
        return true;
      },
    });
    const refused = await connectRaw(url, "broken");
    expect((await refused.closed).code).toBe(4403);
    await (await connectRaw(url, "fine")).fence();
    expect(log.filter((line) => line.includes("the user database is away")).length).toBe(1);
  });
});

describe("an idle client", () => {
  it("is sent a keepalive that changes nothing, so that y-websocket does not take it for dead", async () => {
    const { server } = await startInstance();
    vi.useFakeTimers();
    try {
      const socket = createStallingSocket();
      const connection = server.connect(socket, { documentId: "doc", context: undefined });
      // Its question to the client is the first thing it is sent, once the document is open.
      await vi.waitUntil(() => socket.sent.length > 0);
      socket.drain();
      const before = socket.sent.length;
      await vi.advanceTimersByTimeAsync(25_000);
      const sent = socket.sent.slice(before);
      expect(sent.length).toBeGreaterThan(0);
      // An awareness update about nobody.
      for (const frame of sent) expect([...frame]).toEqual([1, 1, 0]);
      connection.closed();
    } finally {
      vi.useRealTimers();
    }
  });
});
