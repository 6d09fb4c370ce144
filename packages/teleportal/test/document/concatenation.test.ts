import fc from "fast-check";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { concatenate } from "../../src/document/concatenation.ts";
import type { UpdateParts } from "../../src/document/concatenation.ts";
import { decodeTextUpdate } from "../../src/document/text-update.ts";
import { contentOf, docOf, editHistories } from "./edit-history.ts";

function partsOf(updates: readonly Uint8Array[]): UpdateParts[] {
  return updates.map((update) => ({ update, ...decodeTextUpdate(update) }));
}

test("what one person has typed is put together byte by byte, as Yjs would merge it", () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  const text = doc.getText("text");
  for (let i = 0; i < 300; i++) {
    if (i % 7 === 6) text.delete(i % text.length, 1);
    else text.insert(i % (text.length + 1), "x");
  }
  const parts = partsOf(updates);
  const joined = concatenate(parts);
  expect(joined?.update).toEqual(Y.mergeUpdates(updates));
  // What was put together can be put together again.
  const half = concatenate(parts.slice(0, 150));
  const rest = concatenate(parts.slice(150));
  expect(half && rest && concatenate([half, rest])?.update).toEqual(joined?.update);
});

test("whatever can be put together holds exactly what its parts do", () => {
  let joinedOnce = 0;
  fc.assert(
    fc.property(editHistories, ({ updates }) => {
      const known = partsOf(updates).filter(({ body }) => body !== undefined);
      const joined = concatenate(known);
      if (joined === undefined) return;
      joinedOnce += 1;
      const parts = known.map(({ update }) => update);
      expect(contentOf(docOf([joined.update]))).toEqual(contentOf(docOf(parts)));
    }),
    { numRuns: 500 },
  );
  expect(joinedOnce).toBeGreaterThan(100);
});

test("what holds an update that only Yjs can take apart is left to Yjs", () => {
  const [text, map] = [new Y.Doc(), new Y.Doc()];
  text.getText("text").insert(0, "a");
  map.getMap("map").set("key", 1);
  const parts = partsOf([text, map].map((doc) => Y.encodeStateAsUpdate(doc)));
  expect(concatenate(parts)).toBeUndefined();
  expect(concatenate(parts.slice(0, 1))).toBeDefined();
});

test("numbers written in more bytes than they need do not move what stands behind them", () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  for (const letter of ["ab", "ç", "ë"])
    doc.getText("text").insert(doc.getText("text").length, letter);
  // The number of deletions, 0, in two bytes.
  const longer = updates.map((update) => new Uint8Array([...update.subarray(0, -1), 0x80, 0]));
  const joined = concatenate(partsOf(longer));
  expect(joined?.update).toEqual(Y.mergeUpdates(updates));
});

test("operations that do not follow each other are not put together", () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  for (const letter of "abc") doc.getText("text").insert(0, letter);
  const [first, second, third] = partsOf(updates);
  if (first === undefined || second === undefined || third === undefined) throw new Error("three");
  expect(concatenate([first, third])).toBeUndefined();
  expect(concatenate([second, first])).toBeUndefined();
  expect(concatenate([first, second, third])).toBeDefined();
});
