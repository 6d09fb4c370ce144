import { ByteWriter } from "@teleportal/sync-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { decodeByYjs, MalformedUpdateError } from "../../src/document/decoded-update.ts";
import type { DecodedUpdate } from "../../src/document/decoded-update.ts";
import { decodeTextUpdate } from "../../src/document/text-update.ts";
import { updatesOf } from "./edited-text.ts";
import { editHistories } from "./edit-history.ts";

/** What Yjs's decoder makes of it, deletions in a fixed order; `undefined` if it refuses it. */
function judgedByYjs(update: Uint8Array): DecodedUpdate | undefined {
  try {
    return sorted(decodeByYjs(update));
  } catch (error) {
    if (error instanceof MalformedUpdateError) return undefined;
    throw error;
  }
}

/** Yjs puts the deletions of a client together. */
function sorted({ structs, deletions }: DecodedUpdate): DecodedUpdate {
  return {
    structs,
    deletions: deletions.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]),
  };
}

/** Whether it is read without Yjs, which must not make a difference. */
function isReadAsYjsReadsIt(update: Uint8Array): boolean {
  const decoded = decodeTextUpdate(update);
  if (decoded === undefined) return false;
  expect(sorted(decoded)).toEqual(judgedByYjs(update));
  return true;
}

const typing = updatesOf((text) => {
  for (const word of ["a", "ab", "ç", "漢字", "👩‍👩‍👧", "\uFEFF", "x".repeat(300)]) {
    text.insert(text.length, word);
    text.insert(text.length >> 1, word);
    text.delete(text.length >> 2, 1);
  }
}, "текст");

/** Of Yjs's V1 format: text by two clients, and deletions. */
const oddUpdates = fc
  .record({
    client: fc.constantFrom(0, 1, 5, Number.MAX_SAFE_INTEGER),
    clock: fc.constantFrom(0, 1, 7, 8, Number.MAX_SAFE_INTEGER - 1),
    structs: fc.array(
      fc.record({
        names: fc.nat(7),
        client: fc.constantFrom(1, 5),
        clock: fc.constantFrom(0, 6, 7, 8),
        text: fc.constantFrom("x", "é", "xyz", ""),
      }),
      { maxLength: 3 },
    ),
    deletions: fc.array(
      fc.record({
        client: fc.constantFrom(1, 5, Number.MAX_SAFE_INTEGER),
        clock: fc.constantFrom(0, 9, Number.MAX_SAFE_INTEGER - 1),
        length: fc.constantFrom(1, 1, 2, 0),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ client, clock, structs, deletions }) => {
    const writer = new ByteWriter();
    writer.varUint(structs.length);
    for (const { names, text, ...id } of structs) {
      for (const number of [1, names < 6 ? client : 5, clock]) writer.varUint(number);
      writer.uint8((names << 5) | 4);
      const writeId = (): void => (writer.varUint(id.client), writer.varUint(id.clock));
      for (const named of [4, 2]) if ((names & named) !== 0) writeId();
      if ((names & 6) === 0) {
        writer.varUint(id.clock === 0 ? 1 : 0);
        if (id.clock === 0) writer.varBytes(new TextEncoder().encode("parent"));
        else writeId();
        if ((names & 1) !== 0) writer.varBytes(new TextEncoder().encode("ключ"));
      }
      writer.varBytes(new TextEncoder().encode(text));
    }
    writer.varUint(deletions.length);
    for (const deletion of deletions) {
      for (const number of [deletion.client, 1, deletion.clock, deletion.length]) {
        writer.varUint(number);
      }
    }
    return new Uint8Array(writer.finish());
  });

describe("an update that is read byte by byte", () => {
  it("is typing by several people at once", () => {
    // What garbage collection leaves of erased text is no text.
    const doc = new Y.Doc({ gc: false });
    for (const update of typing) Y.applyUpdate(doc, update);
    doc.getText("text").insert(0, "b");
    expect(isReadAsYjsReadsIt(Y.encodeStateAsUpdate(doc))).toBe(true);
  });

  it("is typing, or erasing, in whatever script", () => {
    for (const update of typing) expect(decodeTextUpdate(update)).toBeDefined();
  });

  it("is no other", () => {
    const [map, formatted] = [new Y.Doc(), new Y.Doc()];
    map.getMap("map").set("key", "value");
    formatted.getText("text").insert(0, "bold", { bold: true });
    for (const doc of [map, formatted]) {
      expect(decodeTextUpdate(Y.encodeStateAsUpdate(doc))).toBeUndefined();
    }
  });

  it("is read as Yjs reads it", () => {
    let read = 0;
    fc.assert(
      fc.property(editHistories, ({ updates }) => {
        for (const update of updates) if (isReadAsYjsReadsIt(update)) read += 1;
      }),
      { numRuns: 500 },
    );
    expect(read).toBeGreaterThan(300);
  });

  it("is read as Yjs reads it, or left to Yjs, whatever bytes of it were changed", () => {
    const changes = fc.array(
      fc.record({
        at: fc.nat(400),
        by: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 4, 0x44, 0x84, 0x7f, 0x80, 0xff)),
      }),
      { minLength: 1, maxLength: 2 },
    );
    const cuts = fc.record({ length: fc.nat(400), appended: fc.uint8Array({ maxLength: 4 }) });
    let read = 0;
    fc.assert(
      fc.property(fc.constantFrom(...typing), changes, fc.option(cuts), (update, changed, cut) => {
        const bytes = update.slice();
        for (const { at, by } of changed) bytes[at % bytes.length] = by;
        const mangled =
          cut === null
            ? bytes
            : Uint8Array.of(...bytes.subarray(0, cut.length % (bytes.length + 1)), ...cut.appended);
        if (isReadAsYjsReadsIt(mangled)) read += 1;
      }),
      { numRuns: 20_000 },
    );
    expect(read).toBeGreaterThan(300);
  });

  it("is read as Yjs reads it, or left to Yjs, however odd its numbers and what it names are", () => {
    let read = 0;
    fc.assert(
      fc.property(oddUpdates, (update) => {
        if (isReadAsYjsReadsIt(update)) read += 1;
      }),
      { numRuns: 5000 },
    );
    expect(read).toBeGreaterThan(300);
  });
});
