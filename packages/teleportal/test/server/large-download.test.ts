import { encodeSyncStep1 } from "@teleportal/sync-core";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { differenceBetween, shownBy } from "../document/document-difference.ts";
import { createRichHistory, richDocumentOf } from "../document/rich-history.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";

const MEBIBYTE = 1024 * 1024;
/** The largest piece of text in one operation, in bytes. */
const PIECE = 32 * 1024;

/** Text of two more clients, among the updates: nobody's history has so large ids beside it. */
function withText(history: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const updates: Uint8Array[] = [];
  const writers = [1, 2].map((number) => {
    const doc = new Y.Doc();
    doc.clientID = 2 ** 32 + number;
    doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
    return doc;
  });
  const pieces = Math.ceil(bytes / PIECE);
  for (let i = 0; i < Math.max(pieces, history.length); i++) {
    const other = history[i];
    if (other !== undefined) updates.push(other);
    const text = writers[i % 2]?.getText("text");
    if (i < pieces) text?.insert(text.length, `${i} `.padEnd(PIECE, "lorem ipsum "));
  }
  return updates;
}

/** What a server with these updates in its storage answers to somebody who holds `stateVector`. */
async function download(
  updates: readonly Uint8Array[],
  stateVector: Uint8Array,
): Promise<{ readonly type: string; readonly update: Uint8Array }[]> {
  const storage = createMemoryDocumentStorage();
  await storage.append("doc", updates);
  const { url } = await startInstance({ storage });
  const client = await connectRaw(url, "doc");
  client.send(encodeSyncStep1(stateVector));
  await client.first("sync-step-2");
  return client.received.flatMap(({ read }) =>
    read.type === "update" || read.type === "sync-step-2"
      ? [{ type: read.type, update: read.update }]
      : [],
  );
}

/** Everything that a document tells its application of a change. */
function countEvents(doc: Y.Doc): () => number {
  let events = 0;
  const count = (): void => void (events += 1);
  doc.on("update", count);
  doc.on("updateV2", count);
  doc.on("subdocs", count);
  for (const type of doc.share.values()) type.observeDeep(count);
  return () => events;
}

function openedCopy(doc: Y.Doc): Y.Doc {
  const copy = richDocumentOf([]);
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  return copy;
}

function receiveInSteps(
  doc: Y.Doc,
  frames: readonly { readonly update: Uint8Array }[],
  whole: Y.Doc,
): void {
  const [state, shown, events] = [Y.encodeStateVector(doc), shownBy(doc), countEvents(doc)];
  for (const { update } of frames.slice(0, -1)) {
    Y.applyUpdate(doc, update);
    expect(events()).toBe(0);
    expect(Y.encodeStateVector(doc)).toEqual(state);
    expect(shownBy(doc)).toEqual(shown);
  }
  const last = frames.at(-1);
  if (last !== undefined) Y.applyUpdate(doc, last.update);
  expect(events()).toBeGreaterThan(0);
  // Yjs tidies up formats behind what it receives: how much of that it does is not the server's.
  expect(Y.encodeStateVector(doc)).toEqual(Y.encodeStateVector(whole));
  expect(shownBy(doc)).toEqual(shownBy(whole));
}

function sizeOf(updates: readonly Uint8Array[]): number {
  return updates.reduce((sum, { length }) => sum + length, 0);
}

describe("a document of at most 1 MiB", () => {
  it.each([1, 2, 3])("arrives in one frame (seed %i)", async (seed) => {
    const { updates } = createRichHistory(seed, { size: 400 });
    const all = withText(updates, 800 * 1024 - sizeOf(updates));
    const frames = await download(all, Uint8Array.of(0));
    expect(frames.map(({ type }) => type)).toEqual(["sync-step-2"]);
    const received = richDocumentOf(frames.map(({ update }) => update));
    expect(differenceBetween(received, richDocumentOf(all))).toBeUndefined();
  });
});

describe("a larger document", () => {
  it.each([
    [1, 3 * MEBIBYTE],
    [2, 3 * MEBIBYTE],
    [3, 12 * MEBIBYTE],
  ])("arrives in a few frames of about the same size (seed %i)", async (seed, bytes) => {
    const { updates } = createRichHistory(seed, { size: 400 });
    const all = withText(updates, bytes);
    const frames = await download(all, Uint8Array.of(0));
    const total = sizeOf(frames.map(({ update }) => update));
    const frameBytes = Math.max(MEBIBYTE, total / 8);
    expect(frames.length).toBeGreaterThanOrEqual(Math.floor(total / frameBytes));
    expect(frames.length).toBeLessThanOrEqual(Math.ceil(total / frameBytes) + 1);
    for (const { update } of frames) expect(update.length).toBeLessThan(frameBytes + 2 * PIECE);
    expect(frames.map(({ type }) => type)).toEqual([
      ...Array.from({ length: frames.length - 1 }, () => "update"),
      "sync-step-2",
    ]);
    const received = richDocumentOf(frames.map(({ update }) => update));
    expect(differenceBetween(received, richDocumentOf(all))).toBeUndefined();
  });

  it.each([4, 5, 6])(
    "is not to be seen before its last frame, and whole with it (seed %i)",
    async (seed) => {
      const { updates } = createRichHistory(seed, { size: 400 });
      const all = withText(updates, 3 * MEBIBYTE);
      const frames = await download(all, Uint8Array.of(0));
      expect(frames.length).toBeGreaterThan(1);
      receiveInSteps(richDocumentOf([]), frames, openedCopy(richDocumentOf(all)));
    },
  );

  it.each([7, 8, 9])(
    "comes to somebody who holds an older state in the same way (seed %i)",
    async (seed) => {
      const { updates } = createRichHistory(seed, { size: 400 });
      const all = withText(updates, 5 * MEBIBYTE);
      const early = all.slice(0, all.length / 4);
      const [older, whole] = [openedCopy(richDocumentOf(early)), openedCopy(richDocumentOf(early))];
      const frames = await download(all, Y.encodeStateVector(older));
      expect(frames.length).toBeGreaterThan(1);
      const received = richDocumentOf([...early, ...frames.map(({ update }) => update)]);
      expect(differenceBetween(received, richDocumentOf(all))).toBeUndefined();
      Y.applyUpdate(whole, Y.encodeStateAsUpdate(richDocumentOf(all), Y.encodeStateVector(older)));
      receiveInSteps(older, frames, whole);
    },
  );
});
