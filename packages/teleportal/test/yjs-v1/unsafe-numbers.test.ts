import { expect, test } from "vitest";
import * as Y from "yjs";
import { History } from "../../src/document/history.ts";
import { MalformedUpdateError } from "../../src/yjs-v1/malformed-update-error.ts";

/** 2^56 - 1 as lib0 reads it, and as no number of JavaScript can hold it. */
const UNSAFE = [255, 255, 255, 255, 255, 255, 255, 127];
/** 2^53 - 1, which is safe, and after which nothing is. */
const LARGEST = [255, 255, 255, 255, 255, 255, 255, 15];

test.each([
  ["client", [1, 1, ...UNSAFE, 0, 4, 1, 1, 0x74, 1, 0x61, 0]],
  ["clock", [1, 1, 5, ...UNSAFE, 4, 1, 1, 0x74, 1, 0x61, 0]],
  ["clock behind the last", [1, 1, 5, ...LARGEST, 4, 1, 1, 0x74, 2, 0x61, 0x61, 0]],
  ["length", [1, 1, 5, 1, 0, ...UNSAFE, 0]],
  ["end", [1, 1, 5, 1, 0, ...LARGEST, 0]],
  ["hole's end", [1, 1, 5, 1, 10, ...LARGEST, 0]],
  ["left neighbour's client", [1, 1, 5, 0, 0x84, ...UNSAFE, 0, 1, 0x61, 0]],
  ["left neighbour's clock", [1, 1, 5, 0, 0x84, 6, ...UNSAFE, 1, 0x61, 0]],
  ["right neighbour's client", [1, 1, 5, 0, 0x44, ...UNSAFE, 0, 1, 0x61, 0]],
  ["right neighbour's clock", [1, 1, 5, 0, 0x44, 6, ...UNSAFE, 1, 0x61, 0]],
  ["parent's client", [1, 1, 5, 0, 4, 0, ...UNSAFE, 0, 1, 0x61, 0]],
  ["parent's clock", [1, 1, 5, 0, 4, 0, 6, ...UNSAFE, 1, 0x61, 0]],
  ["text's length", [1, 1, 5, 0, 4, 1, 1, 0x74, ...UNSAFE, 0x61, 0]],
  ["integer", [1, 1, 5, 0, 8, 1, 1, 0x74, 1, 125, 0xbf, ...UNSAFE, 0]],
  ["deletion's client", [0, 1, ...UNSAFE, 1, 0, 1]],
  ["deletion's clock", [0, 1, 5, 1, ...UNSAFE, 1]],
  ["deletion's length", [0, 1, 5, 1, 0, ...UNSAFE]],
  ["deletion's end", [0, 1, 5, 1, ...LARGEST, 1]],
])("an unsafe number as a %s is refused, and nothing else is lost", (_, bytes) => {
  const doc = new Y.Doc();
  const history = new History();
  doc.on("update", (update: Uint8Array) => history.take(update));
  for (const letter of "kept") doc.getText("t").insert(doc.getText("t").length, letter);
  expect(() => history.take(Uint8Array.from(bytes))).toThrow(MalformedUpdateError);
  const held = new Y.Doc();
  Y.applyUpdate(held, history.state());
  expect(held.getText("t").toString()).toBe("kept");
});

test("the largest safe numbers are taken", () => {
  const bytes = Uint8Array.of(0, 1, ...LARGEST, 1, 0, ...LARGEST);
  const history = new History();
  expect(history.take(bytes)).toBe(bytes);
  expect(Y.decodeUpdate(history.state()).ds.clients.get(Number.MAX_SAFE_INTEGER)).toEqual([
    { clock: 0, len: Number.MAX_SAFE_INTEGER },
  ]);
});
