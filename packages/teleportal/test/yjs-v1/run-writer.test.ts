import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import type { Run } from "../../src/yjs-v1/run.ts";
import { RunWriter } from "../../src/yjs-v1/run-writer.ts";
import { joinParts, writeUpdate } from "../../src/yjs-v1/update-writer.ts";
import { differenceBetween } from "../document/document-difference.ts";
import { updatesOf } from "../document/edited-text.ts";
import { deliveries } from "../document/delivery.ts";
import { histories } from "../document/history-of.ts";
import { richDocumentOf } from "../document/rich-history.ts";

const NO_DELETIONS: ReadonlyMap<number, readonly number[]> = new Map();

/** Runs that follow each other, as one. */
function joined(runs: readonly Run[]): Run {
  const [first] = runs;
  if (first === undefined) throw new Error("nothing to join");
  const writer = new RunWriter(first.client, first.start);
  for (const run of runs) writer.addRun(run);
  return writer.finish();
}

function updateOf(run: Run): Uint8Array {
  return joinParts(writeUpdate(new Map([[run.client, [run]]]), NO_DELETIONS));
}

function runsOf(updates: readonly Uint8Array[]): Run[] {
  return updates.flatMap((update) => [...readUpdate(update).runs]);
}

function textOf(update: Uint8Array): string {
  return richDocumentOf([update]).getText("text").toString();
}

describe("structs that are written behind each other", () => {
  it("are one, and a byte a letter, when they were typed in one go", () => {
    const run = joined(runsOf(updatesOf((text) => typeOut(text, "x".repeat(500)))));
    expect(run.count).toBe(1);
    expect(updateOf(run).length).toBeLessThan(530);
    const unicode = joined(runsOf(updatesOf((text) => typeOut(text, "漢字👩‍👩‍👧ç"))));
    expect(unicode.count).toBe(1);
    expect(textOf(updateOf(unicode))).toBe("漢字👩‍👩‍👧ç");
  });

  it.each([
    ["values pushed to a list", (doc: Y.Doc, i: number) => doc.getArray("list").push([i])],
    [
      "deleted text",
      (doc: Y.Doc, i: number) => {
        doc.getText("text").insert(i, "x");
        if (i === 9) doc.getText("text").delete(0, 10);
      },
    ],
  ])("are one when they are %s", (_, edit) => {
    const doc = new Y.Doc();
    for (let i = 0; i < 10; i++) edit(doc, i);
    const whole = Y.encodeStateAsUpdate(doc);
    expect(joined(runsOf([whole])).count).toBe(1);
    const expected = richDocumentOf([whole]);
    const { deletions } = readUpdate(whole);
    const update = joinParts(
      writeUpdate(
        new Map([[doc.clientID, [joined(runsOf([whole]))]]]),
        new Map(deletions.map(({ client, start, end }) => [client, [start, end]])),
      ),
    );
    expect(differenceBetween(richDocumentOf([update]), expected)).toBeUndefined();
  });

  it("stay several when Yjs could not keep them as one", () => {
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    for (let i = 0; i < 5; i++) doc.getText("text").insertEmbed(i, { image: i });
    doc.getMap("map").set("key", new Uint8Array(3));
    doc.getMap("map").set("type", new Y.Map());
    doc.getXmlFragment("xml").push([new Y.XmlText(), new Y.XmlText()]);
    const run = joined(runsOf(updates));
    expect(run.count).toBe(9);
    expect(
      differenceBetween(richDocumentOf([updateOf(run)]), richDocumentOf(updates)),
    ).toBeUndefined();
  });

  it("mean the same as before, whatever they are", () => {
    fc.assert(
      fc.property(histories, deliveries, ({ updates }, random) => {
        const whole = Y.mergeUpdates([...updates]);
        const { runs, deletions } = readUpdate(whole);
        const byClient = new Map<number, Run[]>();
        for (const run of runs)
          byClient.set(run.client, [...(byClient.get(run.client) ?? []), run]);
        const written = new Map(
          [...byClient].map(([client, ofClient]) => {
            // At once, or the second half behind the first.
            const half = ofClient.length >> 1;
            if (half === 0 || random.chance(0.5)) return [client, [joined(ofClient)]] as const;
            const writer = RunWriter.behind(joined(ofClient.slice(0, half)));
            for (const run of ofClient.slice(half)) writer.addRun(run);
            return [client, [writer.finish()]] as const;
          }),
        );
        const deleted = new Map<number, number[]>();
        for (const { client, start, end } of deletions) {
          deleted.set(client, [...(deleted.get(client) ?? []), start, end]);
        }
        const update = joinParts(writeUpdate(written, deleted));
        expect(update.length).toBeLessThanOrEqual(whole.length);
        expect(readUpdate(update).ordered).toBe(true);
        expect(
          differenceBetween(richDocumentOf([update]), richDocumentOf(updates)),
        ).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it("are the same when they are put together once or letter by letter", () => {
    const updates = updatesOf((text) => {
      for (let i = 0; i < 300; i++) {
        if (i % 50 < 40) text.insert(text.length, "x");
        else text.insert((i * 17) % (text.length + 1), "y");
      }
    });
    const [first, ...rest] = runsOf(updates);
    if (first === undefined) throw new Error("nothing was typed");
    let grown = first;
    for (const run of rest) {
      const writer = RunWriter.behind(grown);
      writer.addRun(run);
      expect(writer.end).toBe(run.end);
      expect(writer.size).toBeGreaterThan(0);
      grown = writer.finish();
    }
    expect(grown).toEqual(joined(runsOf(updates)));
  });

  it("do not move when numbers before them take more bytes than they need", () => {
    const updates = updatesOf((text) => {
      for (const letter of ["ab", "ç", "ë"]) text.insert(text.length, letter);
    });
    // The number of deletions, 0, in two bytes.
    const longer = updates.map((update) => Uint8Array.of(...update.subarray(0, -1), 0x80, 0));
    expect(joined(runsOf(longer))).toEqual(joined(runsOf(updates)));
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
  const run = joined(runsOf(withOddNeighbours(left, right)));
  expect(run.count).toBe(count);
  expect(run.end).toBe(11);
});

it("an update names its clients from the highest, and has a struct for each hole", () => {
  const runs = [3, 70_000, Number.MAX_SAFE_INTEGER, 1].flatMap((client) =>
    runsOf([Uint8Array.from([1, 1, ...varUint(client), 2, 0, 3, 0])]),
  );
  const behind = runs.map((run) => ({ ...run, start: run.start + 10, end: run.end + 10 }));
  const byClient = new Map(runs.map((run, i) => [run.client, [run, behind[i] ?? run]]));
  const update = joinParts(writeUpdate(byClient, new Map([[4, [0, 2, 7, 8]]])));
  const { structs, ds } = Y.decodeUpdate(update);
  expect(structs.map(({ id, length }) => [id.client, id.clock, length])).toEqual(
    [Number.MAX_SAFE_INTEGER, 70_000, 3, 1].flatMap((client) => [
      [client, 2, 3],
      [client, 5, 7],
      [client, 12, 3],
    ]),
  );
  expect(ds.clients.get(4)).toEqual([
    { clock: 0, len: 2 },
    { clock: 7, len: 1 },
  ]);
});

function varUint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varUint(Math.floor(value / 128))];
}

function typeOut(text: Y.Text, words: string): void {
  for (const letter of words) text.insert(text.length, letter);
}
