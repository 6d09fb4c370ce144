import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { cutRun as cutParts, splitRun } from "../../src/yjs-v1/cut-run.ts";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import type { Run } from "../../src/yjs-v1/run.ts";
import { RunWriter } from "../../src/yjs-v1/run-writer.ts";
import { joinParts, writeUpdate } from "../../src/yjs-v1/update-writer.ts";
import { deliveries } from "../document/delivery.ts";
import { differenceBetween } from "../document/document-difference.ts";
import { histories } from "../document/history-of.ts";
import { richDocumentOf } from "../document/rich-history.ts";

function cutRun(run: Run, start: number, end: number): Run {
  const [only] = cutParts(run, [{ start, end }]);
  if (only === undefined) throw new Error("nothing was cut");
  return only;
}

function updateOf(runs: readonly Run[]): Uint8Array {
  const byClient = new Map<number, Run[]>();
  for (const run of runs) byClient.set(run.client, [...(byClient.get(run.client) ?? []), run]);
  return joinParts(writeUpdate(byClient, new Map()));
}

function joined(runs: readonly Run[]): Run {
  const [first] = runs;
  if (first === undefined) throw new Error("nothing to join");
  const writer = new RunWriter(first.client, first.start);
  for (const run of runs) writer.addRun(run);
  return writer.finish();
}

function runOf(edit: (doc: Y.Doc) => void): { readonly doc: Y.Doc; readonly run: Run } {
  const doc = new Y.Doc({ gc: false });
  edit(doc);
  const [run] = readUpdate(Y.encodeStateAsUpdate(doc)).runs;
  if (run === undefined) throw new Error("nothing was made");
  return { doc, run };
}

/** The text of each struct, and what it stands behind. */
function textsOf(run: Run): unknown[] {
  return Y.decodeUpdate(updateOf([run])).structs.map((struct) =>
    struct instanceof Y.Item && struct.content instanceof Y.ContentString
      ? [struct.id.clock, struct.content.str, struct.origin?.clock]
      : struct.constructor.name,
  );
}

describe("a part of a run", () => {
  it("is what Yjs sends to somebody who holds what comes before it", () => {
    fc.assert(
      fc.property(histories, fc.nat(), ({ updates }, at) => {
        const update = Y.mergeUpdates([...updates]);
        for (const run of readUpdate(update).runs) {
          const held = run.start + (at % (run.end - run.start));
          const behind = cutRun(run, held, run.end);
          const stateVector = Y.encodeStateVector(new Map([[run.client, held]]));
          const byYjs = readUpdate(Y.diffUpdate(updateOf([run]), stateVector)).runs;
          // Both with what was made in one go as one struct.
          expect(updateOf([joined([behind])])).toEqual(updateOf([joined(byYjs)]));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is together with the others what the whole is, wherever it is cut", () => {
    fc.assert(
      fc.property(histories, deliveries, ({ updates }, random) => {
        const update = Y.mergeUpdates([...updates]);
        const { runs } = readUpdate(update);
        const parts = runs.flatMap((run) => {
          const cut = random.integer(run.start, run.end);
          const found = [cutRun(run, run.start, cut), cutRun(run, cut, run.end)];
          return found.filter(({ start, end }) => end > start);
        });
        const updatesOfParts = parts.map((part) => {
          const partUpdate = updateOf([part]);
          const [read] = readUpdate(partUpdate).runs;
          expect([read?.start, read?.end]).toEqual([part.start, part.end]);
          return partUpdate;
        });
        const expected = richDocumentOf(updates);
        const shown = richDocumentOf([...updatesOfParts, Y.encodeStateAsUpdate(expected)]);
        // Of a character that is cut both halves are replaced.
        if (!Buffer.from(Y.encodeStateAsUpdate(shown)).includes("\ufffd")) {
          expect(differenceBetween(shown, expected)).toBeUndefined();
        }
        expect(Y.decodeStateVector(Y.encodeStateVector(shown))).toEqual(
          Y.decodeStateVector(Y.encodeStateVector(expected)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("is the run itself when nothing is cut off", () => {
    const { run } = runOf((doc) => doc.getText("text").insert(0, "text"));
    expect(cutRun(run, 0, 4)).toBe(run);
    expect(cutRun(run, -5, 10)).toBe(run);
  });

  it("names what was cut off as its left neighbour, and keeps its right one", () => {
    const { doc, run } = runOf((made) => {
      made.getText("text").insert(0, "z");
      made.getText("text").insert(0, "abcdef");
    });
    const part = cutRun(run, 3, 5);
    const [struct] = Y.decodeUpdate(updateOf([part])).structs;
    expect(struct).toMatchObject({
      id: { client: doc.clientID, clock: 3 },
      origin: { client: doc.clientID, clock: 2 },
      rightOrigin: { client: doc.clientID, clock: 0 },
      content: { str: "cd" },
    });
  });

  it.each([
    [0, 1, [[0, "\ufffd", undefined]]],
    [0, 2, [[0, "😀", undefined]]],
    [0, 3, [[0, "😀\ufffd", undefined]]],
    [1, 2, [[1, "\ufffd", 0]]],
    [1, 3, [[1, "\ufffd\ufffd", 0]]],
    [1, 6, [[1, "\ufffd🎉é\ufffd", 0]]],
    [2, 4, [[2, "🎉", 1]]],
    [5, 7, [[5, "👍", 4]]],
    [6, 7, [[6, "\ufffd", 5]]],
  ])("from %i to %i has, as in Yjs, a replacement for each half of a pair", (from, to, texts) => {
    const { run } = runOf((doc) => doc.getText("text").insert(0, "😀🎉é👍"));
    const part = cutRun(run, from, to);
    expect(textsOf(part)).toEqual(texts);
    expect([part.start, part.end]).toEqual([from, to]);
  });

  it("of long text is cut at its letters, whatever bytes they take", () => {
    const words = "aé漢😀".repeat(5000);
    const { run } = runOf((doc) => doc.getText("text").insert(0, words));
    for (const cut of [1, 2, 3, 5, 12_345, words.length - 2]) {
      const [first, second] = [
        textsOf(cutRun(run, 0, cut)),
        textsOf(cutRun(run, cut, words.length)),
      ];
      expect(first).toEqual([[0, words.slice(0, cut).toWellFormed(), undefined]]);
      expect(second).toEqual([[cut, words.slice(cut).toWellFormed(), cut - 1]]);
    }
  });

  it("of values is cut between them, whatever they are", () => {
    const values = [
      1,
      "two",
      null,
      2.5,
      -77,
      { a: [1, { b: "c" }, undefined, 2n ** 60n, new Uint8Array(3)] },
      [[]],
      true,
    ];
    const { run } = runOf((doc) => doc.getArray("list").push(values));
    for (let cut = 1; cut < values.length; cut++) {
      const parts = [cutRun(run, 0, cut), cutRun(run, cut, values.length)];
      const doc = new Y.Doc();
      for (const part of parts) Y.applyUpdate(doc, updateOf([part]));
      expect(doc.getArray("list").toArray()).toEqual(values);
    }
  });

  it("of an old editor's JSON is cut between the values", () => {
    const json = ["1", '{"a":"é"}', "undefined", '"x"'].map((text) =>
      new TextEncoder().encode(text),
    );
    const content = json.flatMap((bytes) => [bytes.length, ...bytes]);
    const [run] = readUpdate(Uint8Array.from([1, 1, 5, 0, 2, 1, 1, 0x74, 4, ...content, 0])).runs;
    if (run === undefined) throw new Error("there is one");
    for (let cut = 1; cut < 4; cut++) {
      const doc = new Y.Doc();
      for (const part of [cutRun(run, 0, cut), cutRun(run, cut, 4)])
        Y.applyUpdate(doc, updateOf([part]));
      expect(doc.getArray("t").toArray()).toEqual([1, { a: "é" }, undefined, "x"]);
    }
  });
});

it("the first structs and the rest are together what the run is, and the first have about so many bytes", () => {
  fc.assert(
    fc.property(histories, fc.nat({ max: 200 }), ({ updates }, bytes) => {
      const update = Y.mergeUpdates([...updates]);
      for (const run of readUpdate(update).runs) {
        const [first, rest] = splitRun(run, bytes);
        if (first.count > 1) expect(first.to - first.from).toBeLessThanOrEqual(bytes);
        if (bytes === 0) expect(first.count).toBe(1);
        const parts = rest === undefined ? [first] : [first, rest];
        expect(updateOf(parts)).toEqual(updateOf([run]));
        expect(first.start).toBe(run.start);
        expect(rest?.start ?? run.end).toBe(first.end);
        for (const part of parts) {
          const [read] = readUpdate(updateOf([part])).runs;
          expect([read?.start, read?.end, read?.count, read?.lastClock]).toEqual([
            part.start,
            part.end,
            part.count,
            part.lastClock,
          ]);
          // It can be gone on with.
          expect(RunWriter.behind(part).finish().end).toBe(part.end);
        }
      }
    }),
    { numRuns: 60 },
  );
});
