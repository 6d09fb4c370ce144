import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { MalformedUpdateError } from "../../src/document/decoded-update.ts";
import { UpdateLog } from "../../src/document/update-log.ts";
import { choices, contentOf, docOf, editHistories, shuffled, someOf } from "./edit-history.ts";
import { applyAll, EMPTY, logOf, pieceSizes, runs, typed } from "./log-of.ts";

function varUint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varUint(Math.floor(value / 128))];
}

const manySteps = fc.constantFrom(24, 200);

describe("compacting", () => {
  it("loses nothing, whatever is there and in whatever order the rest comes", () => {
    fc.assert(
      fc.property(
        editHistories,
        choices,
        choices,
        pieceSizes,
        ({ updates }, first, order, size) => {
          const log = logOf(shuffled(someOf(updates, first), order), size);
          const before = { complete: log.complete(), stateVector: log.stateVector() };
          log.compact();
          expect({ complete: log.complete(), stateVector: log.stateVector() }).toEqual(before);
          for (const update of [...someOf(updates, first), ...log.updates()]) {
            expect(log.isKnown(update)).toBe(true);
          }
          for (const update of shuffled(updates, order)) log.append(update);
          log.compact();
          expect(log.complete()).toBe(true);
          expect(contentOf(docOf(log.updates()))).toEqual(contentOf(docOf(updates)));
          const stale = docOf([]);
          applyAll(stale, log.diff(Y.encodeStateVector(stale)));
          expect(contentOf(stale)).toEqual(contentOf(docOf(updates)));
        },
      ),
      runs,
    );
  });

  it("loses nothing that comes, is asked for or is gathered between its steps", () => {
    fc.assert(
      // Of the larger size, updates are merged with their neighbours meanwhile.
      fc.property(editHistories, fc.nat(), choices, manySteps, ({ updates }, cut, order, size) => {
        const half = cut % (updates.length + 1);
        const log = logOf(updates.slice(0, half), size);
        const rest = shuffled(updates.slice(half), order);
        const steps = log.compactInSteps();
        const stale = docOf([]);
        do {
          const next = rest.shift();
          if (next !== undefined) log.append(next);
          applyAll(stale, log.diff(Y.encodeStateVector(stale)));
        } while (steps.next().done !== true);
        for (const update of rest) log.append(update);
        expect(log.complete()).toBe(true);
        for (const update of updates) expect(log.isKnown(update)).toBe(true);
        expect(contentOf(docOf(log.updates()))).toEqual(contentOf(docOf(updates)));
      }),
      runs,
    );
  });

  it("cuts what is large into pieces, each of which can be applied when those before it are", () => {
    const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()];
    const updates: Uint8Array[] = [];
    for (let i = 0; i < 3000; i++) {
      const doc = docs[i % docs.length] ?? new Y.Doc();
      const text = doc.getText("text");
      text.insert((i * 7919) % (text.length + 1), "some words ");
      const update = Y.encodeStateAsUpdate(
        doc,
        Y.encodeStateVector(docs[(i + 1) % docs.length] ?? doc),
      );
      updates.push(update);
      for (const other of docs) Y.applyUpdate(other, update);
    }
    const log = logOf([Y.encodeStateAsUpdate(docs[0] ?? new Y.Doc())], 1024);
    expect(log.bloated).toBe(true);
    log.compact();
    expect(log.bloated).toBe(false);
    const pieces = log.updates();
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(2048);
    const doc = new Y.Doc();
    for (const piece of pieces) {
      Y.applyUpdate(doc, piece);
      expect(doc.store.pendingStructs).toBeNull();
    }
    expect(doc.getText("text").toString()).toBe(docs[0]?.getText("text").toString());
    // Stored and loaded it is what it was: nothing is to be done again.
    const loaded = new UpdateLog(pieces, 1024);
    expect(loaded.bloated).toBe(false);
    expect(loaded.updates()).toEqual(pieces);
    expect(loaded.digest()).toEqual(log.digest());
  });

  it("reads, for somebody who fell behind a little, the pieces alone of which he has a part", () => {
    const { doc, log } = typed(0);
    log.compact();
    const stale = docOf(log.updates());
    doc.getText("text").insert(5, "new");
    log.append(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(stale)));
    const difference = log.diff(Y.encodeStateVector(stale));
    expect(difference.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(100);
    applyAll(stale, difference);
    expect(stale.getText("text").toString()).toBe(doc.getText("text").toString());
  });

  it("gives two that hold the same one digest again, though only one has compacted", () => {
    fc.assert(
      fc.property(editHistories, choices, ({ updates }, order) => {
        const compacted = logOf(updates);
        compacted.compact();
        const other = logOf(shuffled(updates, order));
        // What the replica does when digests differ.
        const repair = compacted.diff(other.stateVector());
        for (const update of repair) other.append(new Uint8Array(update));
        expect(other.digest()).toEqual(compacted.digest());
      }),
      runs,
    );
  });

  /** As `Document` uses it: compacted whenever it says that it pays. */
  function type(log: UpdateLog, doc: Y.Doc, edit: (text: Y.Text) => void): void {
    const collect = (update: Uint8Array): void => {
      log.append(new Uint8Array(update));
      if (log.bloated) log.compact();
    };
    doc.on("update", collect);
    edit(doc.getText("text"));
    doc.off("update", collect);
  }

  function downloadOf(log: UpdateLog): number {
    return log.updates().reduce((sum, update) => sum + update.length, 0);
  }

  it.each([
    ["a word", 5],
    ["a page", 3000],
    ["a book", 100_000],
  ])("leaves of %s typed and erased at most twice the smallest encoding", (_, letters) => {
    const doc = new Y.Doc();
    const log = new UpdateLog();
    type(log, doc, (text) => {
      for (let i = 0; i < letters; i += 50) text.insert(i, "x".repeat(Math.min(50, letters - i)));
    });
    type(log, doc, (text) => text.delete(0, text.length));
    expect(downloadOf(log)).toBeLessThanOrEqual(2 * Y.encodeStateAsUpdate(doc).length);
  });

  it("leaves of a book that was stored, and then erased, at most twice the smallest encoding", () => {
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "x".repeat(200_000));
    const log = new UpdateLog([Y.encodeStateAsUpdate(doc)]);
    type(log, doc, (text) => text.delete(10, text.length - 10));
    expect(downloadOf(log)).toBeLessThanOrEqual(2 * Y.encodeStateAsUpdate(doc).length);
  });

  it("is not made due again and again by deletions of what nobody has", () => {
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "x".repeat(100_000));
    const log = new UpdateLog([Y.encodeStateAsUpdate(doc)]);
    let compactions = 0;
    for (let clock = 0; clock < 20; clock++) {
      // A million operations of client 9 each.
      log.append(
        new Uint8Array([0, 1, 9, 1, ...varUint(clock * 1_000_000), ...varUint(1_000_000)]),
      );
      if (!log.bloated) continue;
      compactions += 1;
      log.compact();
    }
    expect(compactions).toBe(1);
  });

  it("leaves of letters typed and erased one by one at most twice the smallest encoding", () => {
    const doc = new Y.Doc();
    const log = new UpdateLog();
    type(log, doc, (text) => {
      for (let round = 0; round < 200; round++) {
        for (const letter of "wrong word") text.insert(text.length, letter);
        for (let i = 0; i < 10; i++) text.delete(text.length - 1, 1);
        text.insert(text.length, ".");
      }
    });
    expect(downloadOf(log)).toBeLessThanOrEqual(2 * Y.encodeStateAsUpdate(doc).length);
  });
});

describe("a document into which somebody has written what Yjs cannot apply", () => {
  /** One operation is gone according to the first, and a letter according to the second. */
  const contradiction = [
    new Uint8Array([1, 1, 1, 0, 0, 1, 0]),
    new Uint8Array([1, 1, 1, 0, 4, 1, 4, 116, 101, 120, 116, 2, 97, 98, 0]),
  ];

  it("cannot be compacted, and is handed out, compared and loaded all the same", () => {
    expect(() => docOf(contradiction)).toThrow(TypeError);
    const [first = EMPTY, second = EMPTY] = contradiction;
    const log = new UpdateLog([first]);
    log.append(second);
    expect(() => log.compact()).toThrow(TypeError);
    const fresh = logOf(contradiction);
    const handedOut = fresh.updates();
    expect(handedOut.length).toBe(1);
    expect(logOf(handedOut).digest()).toEqual(fresh.digest());
    expect(fresh.diff(new Uint8Array([0]))).toHaveLength(1);
    expect(new UpdateLog(handedOut).updates()).toEqual(handedOut);
  });

  it.each([
    ["a deletion of nothing", [0, 1, 1, 1, 6, 0]],
    ["a deletion beyond all numbers", [0, 1, 1, 1, ...Array<number>(7).fill(255), 15, 5]],
    ["an operation of no length", [1, 1, 1, 0, 0, 0, 0]],
    ["an operation beyond all numbers", [1, 1, 1, ...Array<number>(7).fill(255), 15, 0, 2, 0]],
    ["an operation in itself", [1, 1, 9, 0, 4, 0, 9, 0, 1, 120, 0]],
    ["an operation right of itself", [1, 1, 9, 0, 0x84, 9, 0, 1, 120, 0]],
    ["an operation left of its successor", [1, 1, 9, 0, 0x44, 9, 1, 1, 120, 0]],
  ])("has refused %s", (_, bytes) => {
    expect(() => new UpdateLog().append(new Uint8Array(bytes))).toThrow(MalformedUpdateError);
  });
});
