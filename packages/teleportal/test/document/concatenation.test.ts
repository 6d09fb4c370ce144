import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { concatenate } from "../../src/document/concatenation.ts";
import { decodeUpdate } from "../../src/document/decoded-update.ts";
import { decodeTextUpdate } from "../../src/document/text-update.ts";
import { updatesOf } from "./edited-text.ts";
import { choices, contentOf, docOf, editHistories, shuffled } from "./edit-history.ts";

function typeOut(text: Y.Text, words: string): void {
  for (const letter of words) text.insert(text.length, letter);
}

describe("updates of typing that are put together", () => {
  it("take about a byte a letter", () => {
    const updates = updatesOf((text) => typeOut(text, "x".repeat(500)));
    expect(concatenate(updates)?.update.length).toBeLessThan(530);
    const unicode = updatesOf((text) => typeOut(text, "漢字👩‍👩‍👧ç"));
    const joined = concatenate(unicode);
    if (joined === undefined) throw new Error("not put together");
    expect(docOf([joined.update]).getText("text").toString()).toBe("漢字👩‍👩‍👧ç");
    expect(decodeUpdate(joined.update).structs.length).toBe(1);
  });

  it("are what their parts are, when letters were struck out and typed elsewhere", () => {
    const updates = updatesOf((text) => {
      for (let i = 0; i < 300; i++) {
        if (i % 7 === 6) text.delete((i * 31) % text.length, 1);
        else text.insert(i % 50 < 40 ? text.length : (i * 17) % (text.length + 1), "x");
      }
    });
    const joined = concatenate(updates);
    if (joined === undefined) throw new Error("not put together");
    expect(contentOf(docOf([joined.update]))).toEqual(contentOf(docOf(updates)));
    expect(joined.update.length).toBeLessThan(Y.mergeUpdates(updates).length / 2);
    // What was put together can be put together again.
    const [half, rest] = [concatenate(updates.slice(0, 150)), concatenate(updates.slice(150))];
    expect(half && rest && concatenate([half.update, rest.update])).toEqual(joined);
  });

  it("hold exactly what their parts do, beside whatever else was done at the same time", () => {
    let joinedOnce = 0;
    fc.assert(
      fc.property(editHistories, choices, ({ updates }, order) => {
        const parts = updates.filter((update) => decodeTextUpdate(update) !== undefined);
        const joined = concatenate(parts);
        if (joined === undefined) return;
        joinedOnce += 1;
        expect(contentOf(docOf([joined.update]))).toEqual(contentOf(docOf(parts)));
        const others = updates.filter((update) => !parts.includes(update));
        const all = shuffled([joined.update, ...others], order);
        expect(contentOf(docOf(all))).toEqual(contentOf(docOf(updates)));
      }),
      { numRuns: 500 },
    );
    expect(joinedOnce).toBeGreaterThan(100);
  });

  it("mean the same to everybody, whoever has typed between the letters, in whatever order they come", () => {
    // Four people type in turns, at a place of their own or anybody's, and hear of each other late.
    const people = fc.array(
      fc.record({
        who: fc.nat(3),
        at: fc.nat(30),
        text: fc.constantFrom("a", "bc"),
        hear: fc.nat(3),
      }),
      { minLength: 10, maxLength: 60 },
    );
    fc.assert(
      fc.property(people, choices, (strokes, order) => {
        const docs = Array.from({ length: 4 }, () => new Y.Doc());
        const updates: Uint8Array[][] = docs.map(() => []);
        for (const [i, doc] of docs.entries()) {
          doc.on("update", (update: Uint8Array, origin: unknown) => {
            if (origin !== "heard") updates[i]?.push(new Uint8Array(update));
          });
        }
        for (const { who, at, text, hear } of strokes) {
          const doc = docs[who];
          const shared = doc?.getText("text");
          if (at < 25) shared?.insert(Math.max(0, shared.length - (at % 5)), text);
          else if (shared !== undefined && shared.length > 1)
            shared.delete(at % (shared.length - 1), 1);
          const other = docs[hear];
          if (doc === undefined || other === undefined) continue;
          Y.applyUpdate(doc, Y.encodeStateAsUpdate(other), "heard");
        }
        const joined = updates.map((own) => {
          const update = concatenate(own)?.update;
          if (update === undefined) throw new Error("not put together");
          return update;
        });
        const expected = contentOf(docOf(updates.flat()));
        expect(contentOf(docOf(shuffled(joined, order)))).toEqual(expected);
        const twice = [...updates.flatMap((own) => own.slice(0, own.length >> 1)), ...joined];
        expect(contentOf(docOf(shuffled(twice, order)))).toEqual(expected);
        const everybody = concatenate(joined);
        expect(everybody && contentOf(docOf([everybody.update]))).toEqual(expected);
        // The order that Yjs takes for granted when it merges.
        const clients = everybody?.spans.map(([client]) => client);
        expect(clients).toEqual(clients?.toSorted((a, b) => b - a));
      }),
      { numRuns: 500 },
    );
  });
});

/** Ten letters of client 1, then one that names these neighbours, as no editor would. */
function withOddNeighbours(left: readonly number[], right: readonly number[]): Uint8Array[] {
  const first = [1, 1, 1, 0, 0x44, 2, 5, 10, ...Array.from({ length: 10 }, () => 0x78), 0];
  return [first, [1, 1, 1, 10, 0xc4, ...left, ...right, 1, 0x79, 0]].map((bytes) =>
    Uint8Array.from(bytes),
  );
}

it.each([
  ["behind the last, before the same neighbour, goes on with its struct", [1, 9], [2, 5], 1],
  ["behind an earlier one begins another struct", [1, 8], [2, 5], 2],
  ["behind one of somebody else begins another struct", [3, 9], [2, 5], 2],
  ["before another of the same person begins another struct", [1, 9], [2, 4], 2],
  ["before one of somebody else begins another struct", [1, 9], [3, 5], 2],
])("a letter %s", (_, left, right, count) => {
  const joined = concatenate(withOddNeighbours(left, right));
  expect(joined && decodeUpdate(joined.update).structs.length).toBe(count);
});

describe("updates are not put together", () => {
  it("of which only Yjs can tell what is in them", () => {
    const [text, map] = [new Y.Doc(), new Y.Doc()];
    text.getText("text").insert(0, "a");
    map.getMap("map").set("key", 1);
    const updates = [text, map].map((doc) => Y.encodeStateAsUpdate(doc));
    expect(concatenate(updates)).toBeUndefined();
    expect(concatenate(updates.slice(0, 1))).toBeDefined();
  });

  it("whose operations do not follow each other", () => {
    const updates = updatesOf((text) => {
      for (const letter of "abc") text.insert(0, letter);
    });
    const [first, second, third] = updates;
    if (first === undefined || second === undefined || third === undefined)
      throw new Error("three");
    expect(concatenate([first, third])).toBeUndefined();
    expect(concatenate([second, first])).toBeUndefined();
    expect(concatenate([first, second, third])).toBeDefined();
  });
});

it("numbers written in more bytes than they need do not move what stands behind them", () => {
  const updates = updatesOf((text) => {
    for (const letter of ["ab", "ç", "ë"]) text.insert(text.length, letter);
  });
  // The number of deletions, 0, in two bytes.
  const longer = updates.map((update) => new Uint8Array([...update.subarray(0, -1), 0x80, 0]));
  expect(concatenate(longer)).toEqual(concatenate(updates));
});
