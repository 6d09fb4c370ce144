import { decodeClientFrame, encodeSyncStep1, encodeUpdateFrame } from "@teleportal/sync-core";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { expect, it, vi } from "vitest";
import * as Y from "yjs";
import { createStallingSocket } from "./stalling-socket.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

/** The state vector of a client that holds nothing. */
const NOTHING = new Uint8Array([0]);

it("a hundred clients that open a document at once share the bytes of one download", async () => {
  const storage = createMemoryDocumentStorage();
  const typed = new Y.Doc();
  for (let i = 0; i < 30; i++) typed.getText("text").insert(0, "x".repeat(100_000));
  await storage.append("doc", [Y.encodeStateAsUpdate(typed)]);
  const { server } = await startInstance({ storage });
  const sockets = Array.from({ length: 100 }, () => createStallingSocket());
  const connections = sockets.map((socket) =>
    server.connect(socket, { documentId: "doc", context: undefined }),
  );
  for (const connection of connections) connection.receive(encodeSyncStep1(NOTHING));
  const downloads = (): (readonly Uint8Array[])[] =>
    sockets.map(({ sent }) =>
      sent.filter((frame) => /update|sync-step-2/.test(decodeClientFrame(frame).type)),
    );
  await expect.poll(() => downloads().every((frames) => frames.length > 1)).toBe(true);
  const [first = []] = downloads();
  for (const frames of downloads()) {
    expect(frames.every((frame, index) => frame === first[index])).toBe(true);
  }

  // The next one has what was typed meanwhile.
  connections[0]?.receive(encodeUpdateFrame(updateOf("z")));
  const late = createStallingSocket();
  const connection = server.connect(late, { documentId: "doc", context: undefined });
  connection.receive(encodeSyncStep1(NOTHING));
  const doc = new Y.Doc();
  await expect.poll(() => late.sent.length).toBeGreaterThan(1);
  for (const frame of late.sent) {
    const read = decodeClientFrame(frame);
    if ("update" in read && read.type !== "awareness") Y.applyUpdate(doc, read.update.slice());
  }
  expect(doc.getText("text").toString()).toContain("z");
  for (const each of [...connections, connection]) each.closed();
});

it("what is erased while the document is compacted is not kept until somebody types again", async () => {
  const { server } = await startInstance();
  const typist = server.connect(createStallingSocket(), { documentId: "doc", context: undefined });
  typist.receive(encodeSyncStep1(NOTHING));
  const doc = new Y.Doc();
  doc.on("update", (update: Uint8Array) => typist.receive(encodeUpdateFrame(update)));
  for (let i = 0; i < 200; i++) doc.getText("text").insert(0, "x".repeat(20_000));
  await new Promise((resolve) => setTimeout(resolve, 1));
  doc.getText("text").delete(0, 200 * 20_000);
  const downloadBytes = async (): Promise<number> => {
    const socket = createStallingSocket();
    const reader = server.connect(socket, { documentId: "doc", context: undefined });
    reader.receive(encodeSyncStep1(NOTHING));
    await vi.waitFor(() => expect(socket.sent.length).toBeGreaterThan(1));
    reader.closed();
    return socket.sent.reduce((bytes, { length }) => bytes + length, 0);
  };
  await vi.waitFor(async () => expect(await downloadBytes()).toBeLessThan(10_000), 5000);
  typist.closed();
});

it("what was typed and erased is not downloaded by the client that comes next", async () => {
  const { server } = await startInstance();
  const typist = server.connect(createStallingSocket(), { documentId: "doc", context: undefined });
  typist.receive(encodeSyncStep1(NOTHING));
  const doc = new Y.Doc();
  doc.on("update", (update: Uint8Array) => typist.receive(encodeUpdateFrame(update)));
  for (let i = 0; i < 500; i++) {
    doc.getText("text").insert(0, "erased");
    doc.getText("text").delete(0, "erased".length);
  }
  const socket = createStallingSocket();
  const reader = server.connect(socket, { documentId: "doc", context: undefined });
  reader.receive(encodeSyncStep1(NOTHING));
  const download = (): Uint8Array | undefined =>
    socket.sent.find((frame) => decodeClientFrame(frame).type === "sync-step-2");
  await expect.poll(download).toBeDefined();
  expect(download()?.length).toBeLessThan(100);
  for (const connection of [typist, reader]) connection.closed();
});
