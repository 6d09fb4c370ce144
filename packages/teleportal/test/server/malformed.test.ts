import {
  encodeAwarenessFrame,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import { createMemoryBus } from "@teleportal/sync-memory";
import { CloseCode } from "teleportal";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { connectEditor, untilPresent } from "./connect-editor.ts";
import { createGatedStorage } from "./gated-storage.ts";
import { connectRaw, deniedReason, presenceFrame } from "./raw-client.ts";
import { createStallingSocket } from "./stalling-socket.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

function withoutLastByte(bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, -1);
}

/** Deletes nothing, at clock 6 of client 1: Yjs reads it and fails to apply it. */
const EMPTY_DELETION = new Uint8Array([0, 1, 1, 1, 6, 0]);
/** One letter whose parent is itself. */
const OWN_PARENT = new Uint8Array([1, 1, 9, 0, 4, 0, 9, 0, 1, 120, 0]);

const REFUSED: [name: string, frame: Uint8Array, what: string, code?: number][] = [
  ["an update that is cut off", encodeUpdateFrame(withoutLastByte(updateOf("x"))), "update"],
  [
    "a SyncStep2 that is cut off",
    encodeSyncStep2(withoutLastByte(updateOf("x"))),
    "update",
    // It would come again each time.
    CloseCode.unreadable,
  ],
  ["an update that is noise", encodeUpdateFrame(new Uint8Array(50).fill(255)), "update"],
  ["an update that Yjs cannot apply", encodeUpdateFrame(EMPTY_DELETION), "update"],
  ["an operation that is its own parent", encodeUpdateFrame(OWN_PARENT), "update"],
  ["a state vector that is cut off", encodeSyncStep1(new Uint8Array([2, 1, 1])), "state vector"],
  [
    "presence that is cut off",
    encodeAwarenessFrame(new Uint8Array([1, 1, 1, 9, 34])),
    "awareness update",
  ],
  [
    "presence that is no JSON",
    encodeAwarenessFrame(new Uint8Array([1, 1, 1, 1, 123])),
    "awareness update",
  ],
  ["a frame shorter than it says", new Uint8Array([0, 2, 200]), "frame"],
  ["an unknown sync step", new Uint8Array([0, 9, 0]), "frame"],
  ["an empty frame", new Uint8Array(), "frame"],
];

describe("a client that sends", () => {
  it.each(REFUSED)(
    "%s is told so and closed, and nobody else sees it",
    async (_, frame, what, code = CloseCode.malformed) => {
      const bus = createMemoryBus();
      const [a, b] = [await startInstance({ bus }), await startInstance({ bus })];
      const here = await connectRaw(a.url, "doc");
      const there = await connectRaw(b.url, "doc");
      const good = connectEditor(a.url, "doc");
      await Promise.all([here.fence(), there.fence(), good.synced]);
      // What y-websocket says of itself when it connects.
      await Promise.all([here.first("awareness"), there.first("awareness")]);
      const [before, beforeThere] = [here.received.length, there.received.length];

      const bad = await connectRaw(a.url, "doc");
      await bad.fence();
      bad.send(frame);
      const reason = `malformed ${what}: refused, and nobody else has seen it`;
      expect(deniedReason(await bad.first("auth"))).toBe(reason);
      expect(await bad.closed).toEqual({ code, reason: `malformed ${what}` });

      good.text.insert(0, "fine");
      await Promise.all([here.first("update"), there.first("update")]);
      expect(here.received.slice(before).map(({ read }) => read.type)).toEqual(["update"]);
      expect(there.received.slice(beforeThere).map(({ read }) => read.type)).toEqual(["update"]);
      const late = connectEditor(b.url, "doc");
      await late.synced;
      expect(late.text.toString()).toBe("fine");
    },
  );

  it("a text frame is closed with 1007, and nothing that it sends behind it counts", async () => {
    const { url } = await startInstance();
    const good = connectEditor(url, "doc");
    const bad = await connectRaw(url, "doc");
    await Promise.all([good.synced, bad.fence()]);
    bad.socket.send("hello");
    bad.send(encodeUpdateFrame(updateOf("sneaked in")));
    expect(await bad.closed).toEqual({
      code: CloseCode.malformed,
      reason: "text: the y-websocket protocol is binary",
    });
    const late = connectEditor(url, "doc");
    await late.synced;
    expect(late.text.toString()).toBe("");
  });

  it("a frame of a type nobody knows is left alone: it may be newer than the server", async () => {
    const { url } = await startInstance();
    const client = await connectRaw(url, "doc");
    client.send(new Uint8Array([42, 1, 2, 3]));
    client.send(new Uint8Array([2, 0, 0]));
    await client.fence();
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it("a truncated update is not completed from what lies behind it in memory", async () => {
    const { server } = await startInstance();
    const whole = encodeUpdateFrame(updateOf("whole"));
    // The frame ends a byte early, and that byte is the next one in the pool.
    const cut = encodeUpdateFrame(withoutLastByte(updateOf("whole")));
    const pool = new Uint8Array(256);
    pool.set(cut, 64);
    pool.set(whole.subarray(-1), 64 + cut.length);
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    connection.receive(pool.subarray(64, 64 + cut.length));
    await expect.poll(() => socket.closedWith?.code).toBe(CloseCode.malformed);
    connection.closed();
  });

  it("frames in a buffer that is used again is understood as it was when it sent them", async () => {
    const { server, url } = await startInstance();
    const socket = createStallingSocket();
    const connection = server.connect(socket, { documentId: "doc", context: undefined });
    const reader = connectEditor(url, "doc");
    await reader.synced;
    const pool = new Uint8Array(256);
    for (const text of ["one", "two"]) {
      const frame = encodeUpdateFrame(updateOf(text));
      pool.set(frame);
      connection.receive(pool.subarray(0, frame.length));
      pool.fill(0);
    }
    await reader.until((text) => text.length === 6);
    const late = connectEditor(url, "doc");
    await late.synced;
    expect(late.text.toString()).toBe(reader.text.toString());
    connection.closed();
  });
});

describe("a document into which somebody has written the same operations twice, with other content", () => {
  it("stays open, stored and closable, and no other document is touched", async () => {
    const storage = createGatedStorage();
    const { url, server, log } = await startInstance({ storage });
    const witness = await connectRaw(url, "doc");
    await witness.fence();
    const vandal = await connectRaw(url, "doc");
    // One operation is gone according to the first, and a letter according to the second.
    vandal.send(encodeUpdateFrame(updateOf("x".repeat(30_000))));
    vandal.send(encodeUpdateFrame(new Uint8Array([1, 1, 1, 0, 0, 1, 0])));
    await vandal.fence();
    await (await connectRaw(url, "doc")).fence();
    vandal.send(encodeUpdateFrame(updateOf("x".repeat(30_000))));
    vandal.send(
      encodeUpdateFrame(new Uint8Array([1, 1, 1, 0, 4, 1, 4, 116, 101, 120, 116, 2, 97, 98, 0])),
    );
    vandal.send(encodeUpdateFrame(updateOf("x".repeat(30_000))));
    for (const letter of ["y", "z"]) {
      vandal.send(encodeUpdateFrame(updateOf(letter.repeat(200_000))));
      const before = witness.received.length;
      await expect.poll(() => witness.received.length, { timeout: 5000 }).toBeGreaterThan(before);
    }
    const good = connectEditor(url, "another");
    await Promise.all([vandal.fence(), good.synced]);
    await (await connectRaw(url, "doc")).fence();
    good.text.insert(0, "fine");
    await connectEditor(url, "another").until((text) => text === "fine");
    await server.close();
    expect((await storage.load("doc")).length).toBeGreaterThan(0);
    expect(log.filter((line) => line.includes("doc"))).toEqual([]);
  });

  it("is stored once a failing storage works again", async () => {
    const storage = createGatedStorage();
    const { url, server } = await startInstance({ storage });
    const repair = storage.fail("append");
    const vandal = await connectRaw(url, "doc");
    vandal.send(encodeUpdateFrame(new Uint8Array([1, 1, 1, 0, 0, 1, 0])));
    vandal.send(
      encodeUpdateFrame(new Uint8Array([1, 1, 1, 0, 4, 1, 4, 116, 101, 120, 116, 2, 97, 98, 0])),
    );
    await vandal.fence();
    repair();
    await server.close();
    expect((await storage.load("doc")).length).toBe(1);
  });
});

/** A small deterministic generator: the same noise in every run. */
function createNoise(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("thousands of random frames", () => {
  it("leave the server alive, its documents loadable and good clients working", async () => {
    const storage = createGatedStorage();
    const { url, server, log } = await startInstance({ storage });
    const good = connectEditor(url, "doc");
    await good.synced;
    const text = "the quick brown fox";
    good.text.insert(0, text);
    const noise = createNoise(1);
    const models = [
      encodeUpdateFrame(updateOf("model")),
      encodeUpdateFrame(Y.encodeStateAsUpdate(good.doc)),
      encodeSyncStep1(Y.encodeStateVector(good.doc)),
      presenceFrame(5, 1, { user: "eve", cursor: { anchor: 1 } }),
    ];
    for (let i = 0; i < 5000; i++) {
      // In documents of its own: what can be decoded is a client's to write.
      const socket = createStallingSocket();
      const connection = server.connect(socket, { documentId: "noise", context: undefined });
      const model = models[noise(models.length)] ?? new Uint8Array();
      let frame = new Uint8Array(model);
      const kind = noise(4);
      if (kind === 0) frame = Uint8Array.from({ length: noise(40) }, () => noise(256));
      if (kind === 1) frame = frame.slice(0, noise(frame.length));
      for (let flips = noise(4); flips > 0; flips--) frame[noise(frame.length)] = noise(256);
      connection.receive(frame);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      connection.closed();
    }
    const visitor = await connectRaw(url, "noise");
    await visitor.fence();
    visitor.send(presenceFrame(9, 1, { user: "visitor" }));
    await visitor.fence();

    good.provider.awareness.setLocalState({ user: "good" });
    const late = connectEditor(url, "doc");
    await late.synced;
    expect(late.text.toString()).toBe(text);
    late.provider.awareness.setLocalState({ user: "late" });
    await untilPresent(good, ["good", "late"]);
    expect(log.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  it("that one client sends over a real socket cost it its connection and nobody else theirs", async () => {
    const { url } = await startInstance();
    const good = connectEditor(url, "doc");
    await good.synced;
    const noise = createNoise(2);
    let refused = 0;
    const codes: number[] = [CloseCode.malformed, CloseCode.unreadable];
    for (let i = 0; i < 100; i++) {
      const bad = await connectRaw(url, "doc");
      bad.send(new Uint8Array([0, noise(3), ...Array.from({ length: 20 }, () => noise(256))]));
      bad.socket.close();
      if (codes.includes((await bad.closed).code)) refused += 1;
    }
    expect(refused).toBeGreaterThan(0);
    good.text.insert(0, "still here");
    const late = connectEditor(url, "doc");
    await late.until((text) => text.includes("still here"));
  });
});
