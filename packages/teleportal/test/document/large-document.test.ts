import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { History } from "../../src/document/history.ts";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import { docOf } from "./edit-history.ts";
import { compact, download, historyOf, typed } from "./history-of.ts";

/** How many structs are read: all that costs time with a document's size. */
const read = vi.hoisted(() => ({ structs: 0 }));

vi.mock("../../src/yjs-v1/struct-reader.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../src/yjs-v1/struct-reader.ts")>();
  const { next } = original.StructReader.prototype;
  original.StructReader.prototype.next = function counted() {
    read.structs += 1;
    return next.call(this);
  };
  return original;
});

/** Structs that are read meanwhile. */
function structsReadBy(work: () => void): number {
  const before = read.structs;
  work();
  return read.structs - before;
}

describe("a keystroke in a large document", () => {
  it("is all that is read of it, and all that is kept, however large the document", () => {
    const { history, updates } = typed(500);
    const before = history.byteLength;
    let gathered = 0;
    const structs = structsReadBy(() => {
      for (const update of updates) {
        expect(history.take(update)).toBe(update);
        expect(history.bloated).toBe(false);
        history.stateVector();
        if (!history.scattered) continue;
        history.gather();
        gathered += 1;
      }
    });
    expect(gathered).toBe(Math.floor(500 / 32));
    // A few dozen in each gathering: those in the run that it goes on with.
    expect(structs / updates.length).toBeLessThan(20);
    expect(history.byteLength - before).toBeLessThanOrEqual(
      updates.reduce((sum, { length }) => sum + length, 0),
    );
  });

  it("is gathered in the same time, however much was typed before", () => {
    const { history, updates } = typed(4000);
    const most = (some: readonly Uint8Array[]): number => {
      let structs = 0;
      for (const update of some) {
        history.take(update);
        if (history.scattered)
          structs = Math.max(
            structs,
            structsReadBy(() => history.gather()),
          );
      }
      return structs;
    };
    const first = most(updates.slice(0, 500));
    expect(most(updates.slice(500))).toBeLessThanOrEqual(2 * first);
  });

  it("makes compacting due only as often as the document doubles", () => {
    const history = new History();
    const doc = new Y.Doc();
    let compactions = 0;
    doc.on("update", (update: Uint8Array) => {
      history.take(update);
      if (!history.bloated) return;
      compactions += 1;
      compact(history);
    });
    for (let i = 0; i < 20_000; i++) doc.getText("text").insert(Math.floor(i / 2), "z");
    expect(compactions).toBeGreaterThan(0);
    expect(compactions).toBeLessThanOrEqual(2 + Math.log2(history.byteLength));
  });
});

describe("a large document", () => {
  it("is what the storage has given, though the storage uses its buffers again", () => {
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "x".repeat(100_000));
    const buffers = historyOf([Y.encodeStateAsUpdate(doc)]).pieces(48 * 1024);
    const history = new History();
    for (const buffer of buffers) history.load(buffer);
    for (const buffer of buffers) buffer.fill(0);
    expect(docOf([history.state()]).getText("text").toString()).toBe(
      doc.getText("text").toString(),
    );
  });

  it("is stored in records of about the size that is asked for, and need not be compacted when it is loaded", () => {
    const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()] as const;
    const updates: Uint8Array[] = [];
    for (let i = 0; i < 7000; i++) {
      const doc = docs[i % 3] ?? docs[0];
      const before = Y.encodeStateVector(doc);
      const text = doc.getText("text");
      text.insert((i * 7919) % (text.length + 1), "some words ");
      updates.push(Y.encodeStateAsUpdate(doc, before));
    }
    const history = historyOf(updates);
    expect(history.bloated).toBe(true);
    compact(history);
    expect(history.bloated).toBe(false);
    const pieces = history.pieces(16 * 1024);
    const sizes = pieces.map(({ length }) => length);
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(17 * 1024);
    expect(sizes.reduce((sum, size) => sum + size, 0) / pieces.length).toBeGreaterThan(8 * 1024);
    // Stored and loaded it is what it was: compacting it again is not due.
    const loaded = new History();
    for (const piece of pieces) loaded.load(piece);
    expect(loaded.bloated).toBe(false);
    expect(loaded.pieces(16 * 1024)).toEqual(pieces);
    expect(loaded.digest()).toEqual(history.digest());
    for (const doc of docs)
      for (const other of docs) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
    expect(docOf(pieces).getText("text").toString()).toBe(docs[0].getText("text").toString());
  });

  it("costs somebody who fell behind a little only that little", () => {
    const { doc, history } = typed(0);
    compact(history);
    const stale = docOf([history.state()]);
    doc.getText("text").insert(5, "new");
    history.take(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(stale)));
    const frames = download(history, Y.encodeStateVector(stale));
    expect(frames).toHaveLength(1);
    expect(frames[0]?.length).toBeLessThan(100);
    for (const frame of frames) Y.applyUpdate(stale, frame);
    expect(stale.getText("text").toString()).toBe(doc.getText("text").toString());
  });

  it("is handed out without reading it, as large as it is", () => {
    const { history } = typed(0);
    expect(structsReadBy(() => history.state())).toBe(0);
    expect(structsReadBy(() => history.pieces(48 * 1024))).toBeLessThanOrEqual(2);
    expect(structsReadBy(() => history.download(Uint8Array.of(0)))).toBeLessThanOrEqual(2);
  });

  it("is downloaded in a few frames, none of which a slow line takes too long for", () => {
    const history = new History();
    for (let client = 1; client <= 50; client++) {
      const doc = new Y.Doc();
      doc.clientID = client;
      for (let i = 0; i < 10; i++) doc.getText("text").insert(0, "x".repeat(10_000));
      history.take(Y.encodeStateAsUpdate(doc));
    }
    const frames = download(history, Uint8Array.of(0));
    expect(frames.length).toBeGreaterThan(4);
    expect(frames.length).toBeLessThanOrEqual(9);
    for (const { length } of frames) expect(length).toBeLessThan(1.1 * 1024 * 1024);
    // Nothing is seen before the last.
    const doc = new Y.Doc();
    for (const frame of frames.slice(0, -1)) Y.applyUpdate(doc, frame);
    expect(doc.getText("text").length).toBe(0);
    for (const frame of frames.slice(-1)) Y.applyUpdate(doc, frame);
    expect(doc.getText("text").length).toBe(5_000_000);
  });

  it("is compacted in steps, each of which reads little", () => {
    const docs = Array.from({ length: 30 }, () => new Y.Doc());
    const history = new History();
    for (const doc of docs) {
      for (let i = 0; i < 600; i++) doc.getText("text").insert((i * 31) % (i + 1), "words ");
      history.take(Y.encodeStateAsUpdate(doc));
    }
    let [most, steps, before] = [0, 0, read.structs];
    for (const _ of history.compact()) {
      most = Math.max(most, read.structs - before);
      before = read.structs;
      steps += 1;
    }
    expect(steps).toBeGreaterThan(4);
    // A struct takes some twenty bytes, and a step is of 64 KiB and the run that it ends with.
    expect(most).toBeLessThan((2 * 64 * 1024) / 10);
  });
});

describe("a document that is typed for long before it is compacted", () => {
  it("stays a few runs, though somebody joins after each keystroke", () => {
    const { doc, history, updates } = typed(600);
    for (const update of updates) {
      history.take(update);
      history.download(Uint8Array.of(0));
    }
    expect(readUpdate(history.state()).runs.length).toBeLessThanOrEqual(3);
    expect(docOf([history.state()]).getText("text").toString()).toBe(
      doc.getText("text").toString(),
    );
  });

  it("takes a byte a letter, also when others type at the same time", () => {
    const docs = [new Y.Doc(), new Y.Doc()] as const;
    const updates: Uint8Array[] = [];
    for (const doc of docs) doc.on("update", (update: Uint8Array) => updates.push(update));
    for (let i = 0; i < 1500; i++) for (const doc of docs) doc.getText("text").insert(i, "x");
    const history = new History();
    for (const update of updates) {
      history.take(update);
      if (history.scattered) history.gather();
    }
    history.gather();
    expect(history.byteLength).toBeLessThan(2 * 1500 + 200);
  });
});
