import { expect, it } from "vitest";
import * as Y from "yjs";
import { History } from "../../src/document/history.ts";
import { compactRuns } from "../../src/yjs-v1/compact-runs.ts";
import { IdRanges } from "../../src/yjs-v1/id-ranges.ts";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import { structBytes, typedBytes, updateBytes } from "../server/struct-bytes.ts";
import type { Section } from "../server/struct-bytes.ts";
import { compact, historyOf } from "./history-of.ts";

/**
 * How much longer than Yjs itself anything may take. What takes the product of two sizes takes hundreds of times as long with these
 * inputs; what does not takes less than Yjs.
 */
const TIMES_YJS = 10;

const SKIP = 10;

function millisecondsOf(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Every word of a pasted text is replaced, as an editor's "replace all" does it. */
function replaceAll(words: number): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  const text = doc.getText("text");
  text.insert(0, "one two three four 🙂 ".repeat(words / 5));
  doc.transact(() => {
    for (let at = 0; at < text.length; at += 27) text.delete(at, 3);
  });
  return updates;
}

/** One letter at each second clock of one client. */
function holes(count: number, from: number): Uint8Array {
  const skip = Uint8Array.of(SKIP, 1);
  const letter = typedBytes("x", { root: "text" });
  const structs = Array.from({ length: 2 * count - 1 }, (_, i) => (i % 2 === 0 ? letter : skip));
  return updateBytes([{ client: 9, clock: from, structs } satisfies Section]);
}

it("a text of which every word was replaced is compacted in less time than Yjs takes to apply it", () => {
  const updates = replaceAll(20_000);
  const byYjs = millisecondsOf(() => {
    const doc = new Y.Doc();
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  const history = historyOf(updates);
  const took = millisecondsOf(() => compact(history));
  expect(took / byYjs).toBeLessThan(TIMES_YJS);
  const [doc, reference] = [new Y.Doc(), new Y.Doc()];
  Y.applyUpdate(doc, history.state());
  for (const update of updates) Y.applyUpdate(reference, update);
  expect(doc.getText("text").toString()).toBe(reference.getText("text").toString());
});

it("an update that fills ten thousands of holes is taken in about the time that Yjs takes to read it", () => {
  const [odd, even] = [holes(30_000, 1), holes(30_000, 0)];
  const byYjs =
    millisecondsOf(() => Y.decodeUpdate(odd)) + millisecondsOf(() => Y.decodeUpdate(even));
  const history = new History();
  const took = millisecondsOf(() => {
    history.take(odd);
    history.take(even);
  });
  expect(took / byYjs).toBeLessThan(TIMES_YJS);
  expect(history.complete()).toBe(true);
  expect(Y.decodeUpdate(history.state()).structs.length).toBe(60_000);
});

it("an update of which every second operation is held adds the others, in about the time that Yjs takes to read it", () => {
  const history = historyOf([holes(15_000, 1)]);
  const long = updateBytes([
    { client: 9, clock: 0, structs: [structBytes(4, { root: "text" }, textOf(30_000))] },
  ]);
  const byYjs = millisecondsOf(() => Y.decodeUpdate(holes(15_000, 1)));
  const took = millisecondsOf(() => history.take(long));
  expect(took / byYjs).toBeLessThan(TIMES_YJS);
  expect(history.complete()).toBe(true);
});

it("an update of a hundred thousand pieces behind what is held is held as a whole", () => {
  const history = historyOf([holes(1, 0)]);
  history.take(holes(100_000, 2));
  expect(history.isKnown(holes(100_000, 2))).toBe(true);
  const again = new History();
  again.take(history.state());
  expect(again.digest()).toEqual(history.digest());
});

it("a few bytes that are left of a large update do not keep the memory of all of it", () => {
  const large = new Y.Doc();
  large.clientID = 1;
  large.getText("text").insert(0, "x".repeat(1_000_000));
  const small = new Y.Doc();
  small.clientID = 2;
  Y.applyUpdate(small, Y.encodeStateAsUpdate(large));
  small.getMap("map").set("kept", 1);
  const [kept] = readUpdate(Y.encodeStateAsUpdate(small)).runs;
  if (kept === undefined) throw new Error("the update has no runs");
  expect(kept.bytes.length).toBeGreaterThan(1_000_000);
  const deleted = { removed: new IdRanges(), collected: new IdRanges() };
  const [compacted] = compactRuns([kept], deleted);
  expect(compacted?.bytes.length).toBeLessThan(100);
});

it("deletions are stored in records of their own, none larger than asked for", () => {
  const doc = new Y.Doc();
  const text = doc.getText("text");
  text.insert(0, "x".repeat(8000));
  doc.transact(() => {
    for (let at = 0; at < text.length; at += 1) text.delete(at, 1);
  });
  const history = historyOf([Y.encodeStateAsUpdate(doc)]);
  const pieces = history.pieces(2000);
  expect(pieces.length).toBeGreaterThan(3);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(2000 + 100);
  const again = historyOf(pieces);
  expect(again.digest()).toEqual(history.digest());
});

function textOf(letters: number): Uint8Array {
  const length = [];
  for (let rest = letters; ; rest >>= 7) {
    length.push(rest > 0x7f ? 0x80 | (rest & 0x7f) : rest);
    if (rest <= 0x7f) break;
  }
  return Uint8Array.from([...length, ...Array<number>(letters).fill(120)]);
}
