import fc from "fast-check";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { bodyOf, concatenate } from "../../src/document/concatenation.ts";
import { decodeUpdate } from "../../src/document/decoded-update.ts";
import { contentOf, docOf, editHistories } from "./edit-history.ts";

const bodiesOf = (updates: readonly Uint8Array[]) =>
  updates.map((update) => bodyOf(update, decodeUpdate(update)));

test("what one person has typed is put together byte by byte, as Yjs would merge it", () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  const text = doc.getText("text");
  for (let i = 0; i < 300; i++) {
    if (i % 7 === 6) text.delete(i % text.length, 1);
    else text.insert(i % (text.length + 1), "x");
  }
  const bodies = bodiesOf(updates).flatMap((body) => body ?? []);
  expect(bodies.length).toBe(updates.length);
  const joined = concatenate(bodies);
  expect(joined?.update).toEqual(Y.mergeUpdates(updates));
  // What was put together can be put together again.
  const half = concatenate(bodies.slice(0, 150))?.body;
  const rest = concatenate(bodies.slice(150))?.body;
  expect(half && rest && concatenate([half, rest])?.update).toEqual(joined?.update);
});

test("whatever can be put together holds exactly what its parts do", () => {
  let joinedOnce = 0;
  fc.assert(
    fc.property(editHistories, ({ updates }) => {
      const bodies = bodiesOf(updates);
      const known = bodies.flatMap((body) => body ?? []);
      const parts = updates.filter((_, index) => bodies[index] !== undefined);
      const joined = concatenate(known);
      if (joined === undefined) return;
      joinedOnce += 1;
      expect(contentOf(docOf([joined.update]))).toEqual(contentOf(docOf(parts)));
    }),
    { numRuns: 500 },
  );
  expect(joinedOnce).toBeGreaterThan(100);
});

test("an update of several clients, or of anything but text, is left to Yjs", () => {
  const [a, b] = [new Y.Doc(), new Y.Doc()];
  a.getText("text").insert(0, "a");
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a));
  b.getText("text").insert(0, "b");
  const map = new Y.Doc();
  map.getMap("map").set("key", 1);
  for (const doc of [b, map]) {
    const update = Y.encodeStateAsUpdate(doc);
    expect(bodyOf(update, decodeUpdate(update))).toBeUndefined();
  }
});

test("numbers written in more bytes than they need do not move what stands behind them", () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  for (const letter of ["ab", "ç", "ë"])
    doc.getText("text").insert(doc.getText("text").length, letter);
  // The number of deletions, 0, in two bytes.
  const longer = updates.map((update) => new Uint8Array([...update.subarray(0, -1), 0x80, 0]));
  const joined = concatenate(bodiesOf(longer).flatMap((body) => body ?? []));
  expect(joined?.update).toEqual(Y.mergeUpdates(updates));
});

test("operations that do not follow each other are not put together", () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  for (const letter of "abc") doc.getText("text").insert(0, letter);
  const [first, second, third] = bodiesOf(updates);
  if (first === undefined || second === undefined || third === undefined) throw new Error("three");
  expect(concatenate([first, third])).toBeUndefined();
  expect(concatenate([second, first])).toBeUndefined();
  expect(concatenate([first, second, third])).toBeDefined();
});
