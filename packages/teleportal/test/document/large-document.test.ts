import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { compact } from "../../src/document/compaction.ts";
import { UpdateLog } from "../../src/document/update-log.ts";
import { docOf } from "./edit-history.ts";
import { typed } from "./log-of.ts";

/** What building or merging a document takes: all that costs time with its size. */
const costly = vi.hoisted(() => ({ calls: 0 }));

vi.mock("yjs", async (importOriginal) => {
  const original = await importOriginal<typeof Y>();
  return {
    ...original,
    mergeUpdates: (updates: Uint8Array[]) => {
      costly.calls += 1;
      return original.mergeUpdates(updates);
    },
    applyUpdate: (doc: Y.Doc, update: Uint8Array, origin?: unknown) => {
      costly.calls += 1;
      original.applyUpdate(doc, update, origin);
    },
  };
});

describe("a keystroke in a large document", () => {
  it("merges nothing, builds no document, and is the only thing that is kept of it", () => {
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "x".repeat(1_000_000));
    const log = new UpdateLog([Y.encodeStateAsUpdate(doc)]);
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    for (let i = 0; i < 500; i++) doc.getText("text").insert(i * 7, "y");
    const before = log.byteLength;
    costly.calls = 0;
    for (const update of updates) {
      expect(log.append(update)).toBe("added");
      expect(log.bloated).toBe(false);
      log.stateVector();
    }
    expect(costly.calls).toBe(0);
    expect(log.byteLength - before).toBe(updates.reduce((sum, { length }) => sum + length, 0));
    // Nor is anything merged by Yjs for somebody who joins.
    const handedOut = log.updates();
    expect(costly.calls).toBe(0);
    expect(docOf(handedOut).getText("text").toString()).toBe(doc.getText("text").toString());
  });

  it("makes compacting due only as often as the document doubles", () => {
    const log = new UpdateLog();
    const doc = new Y.Doc();
    let compactions = 0;
    doc.on("update", (update: Uint8Array) => {
      log.append(update);
      if (!log.bloated) return;
      compactions += 1;
      log.compact();
    });
    for (let i = 0; i < 20_000; i++) doc.getText("text").insert(Math.floor(i / 2), "z");
    const total = log.byteLength;
    expect(compactions).toBeGreaterThan(0);
    expect(compactions).toBeLessThanOrEqual(2 + (20_000 * 24) / (32 * 1024) + Math.log2(total));
  });
});

it("a document is what the storage has given, though the storage uses its buffers again", () => {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "x".repeat(100_000));
  const buffers = compact([Y.encodeStateAsUpdate(doc)]).map(({ update }) => update);
  const log = new UpdateLog(buffers);
  for (const buffer of buffers) buffer.fill(0);
  expect(docOf(log.updates()).getText("text").toString()).toBe(doc.getText("text").toString());
});

describe("a document that is typed for long before it is compacted", () => {
  it(
    "is gathered a few keystrokes at a time, so that a joiner waits for no more than that",
    { timeout: 90_000 },
    () => {
      const { doc, log, updates } = typed(2000);
      let gathered = 0;
      for (const update of updates) {
        log.append(update);
        if (!log.scattered) continue;
        log.gather();
        gathered += 1;
      }
      expect(gathered).toBe(Math.floor(2000 / 32));
      costly.calls = 0;
      const handedOut = log.updates();
      expect(costly.calls).toBe(0);
      expect(handedOut.length).toBeLessThan(20);
      expect(docOf(handedOut).getText("text").toString()).toBe(doc.getText("text").toString());
      costly.calls = 0;
      expect(log.updates()).toEqual(handedOut);
      expect(costly.calls).toBe(0);
    },
  );

  it("leaves a joiner little to merge, whatever was typed", { timeout: 90_000 }, () => {
    const { doc, log, updates } = typed(0);
    // Formats are nothing that is put together byte by byte.
    for (let i = 0; i < 4000; i++) doc.getText("text").insert(i * 3, "y", { bold: i % 2 === 0 });
    for (const update of updates) {
      log.append(update);
      if (log.scattered) log.gather();
    }
    costly.calls = 0;
    log.updates();
    expect(costly.calls).toBeLessThan(4);
  });

  it("stays a few updates, though somebody joins after each keystroke", () => {
    const { doc, log, updates } = typed(600);
    let most = 0;
    for (const update of updates) {
      log.append(update);
      most = Math.max(most, log.updates().length);
    }
    expect(most).toBeLessThanOrEqual(3);
    const bytes = log.updates().reduce((sum, { length }) => sum + length, 0);
    expect(log.byteLength).toBe(bytes);
    expect(docOf(log.updates()).getText("text").toString()).toBe(doc.getText("text").toString());
  });
});
