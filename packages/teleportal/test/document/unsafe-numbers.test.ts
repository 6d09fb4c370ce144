import { expect, test } from "vitest";
import * as Y from "yjs";
import { MalformedUpdateError } from "../../src/document/decoded-update.ts";
import { UpdateLog } from "../../src/document/update-log.ts";

/** 2^56 - 1 as lib0 reads it, and as no number of JavaScript can hold it. */
const UNSAFE = [255, 255, 255, 255, 255, 255, 255, 127];

test.each([
  ["client", [1, 1, ...UNSAFE, 0, 4, 1, 1, 0x74, 1, 0x61, 0]],
  ["left neighbour's client", [1, 1, 5, 0, 0x84, ...UNSAFE, 0, 1, 0x61, 0]],
  ["left neighbour's clock", [1, 1, 5, 0, 0x84, 6, ...UNSAFE, 1, 0x61, 0]],
  ["right neighbour's client", [1, 1, 5, 0, 0x44, ...UNSAFE, 0, 1, 0x61, 0]],
  ["parent's client", [1, 1, 5, 0, 4, 0, ...UNSAFE, 0, 1, 0x61, 0]],
  ["deletion's client", [0, 1, ...UNSAFE, 1, 0, 1]],
])("an unsafe number as a %s is refused, and nothing else is lost", (_, bytes) => {
  const doc = new Y.Doc();
  const log = new UpdateLog();
  doc.on("update", (update: Uint8Array) => log.append(new Uint8Array(update)));
  for (const letter of "kept") doc.getText("t").insert(doc.getText("t").length, letter);
  expect(() => log.append(new Uint8Array(bytes))).toThrow(MalformedUpdateError);
  const held = new Y.Doc();
  for (const update of log.updates()) Y.applyUpdate(held, update);
  expect(held.getText("t").toString()).toBe("kept");
});
