import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { decodeUpdate, MalformedUpdateError } from "../../src/document/decoded-update.ts";
import { UpdateLog } from "../../src/document/update-log.ts";
import { choices, contentOf, docOf, editHistories, shuffled, someOf } from "./edit-history.ts";

/** What building or merging a document takes: all that costs time with its size. */
const costly = vi.hoisted(() => ({ calls: 0 }));

vi.mock("yjs", async (importOriginal) => {
  const original = await importOriginal<typeof Y>();
  return {
    ...original,
    mergeUpdates: (updates: Uint8Array[]) => {
      costly.calls += 1;
      return original.mergeUpdates(updates);
    },
    applyUpdate: (doc: Y.Doc, update: Uint8Array, origin?: unknown) => {
      costly.calls += 1;
      original.applyUpdate(doc, update, origin);
    },
  };
});

const runs = { numRuns: 300 };

/** Pieces as they are, and so small that most documents have several. */
const pieceSizes = fc.constantFrom(undefined, 24);

function logOf(updates: readonly Uint8Array[], pieceSize?: number): UpdateLog {
  const log = new UpdateLog([], pieceSize);
  for (const update of updates) log.append(update);
  return log;
}

function applyAll(doc: Y.Doc, updates: readonly Uint8Array[]): void {
  for (const update of updates) Y.applyUpdate(doc, update);
}

/** A document of a megabyte, and keystrokes in it. */
function typed(keystrokes: number) {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "x".repeat(1_000_000));
  const log = new UpdateLog([Y.encodeStateAsUpdate(doc)]);
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  for (let i = 0; i < keystrokes; i++) doc.getText("text").insert(i * 3, "y");
  return { doc, log, updates };
}

/** Everything observable of a log, without making it merge anything. */
function stateOf(log: UpdateLog): unknown {
  return [log.byteLength, log.bloated, log.complete(), log.stateVector(), log.digest()];
}

/** Every operation and every deletion in `updates`, one by one. */
function idsIn(updates: readonly Uint8Array[]): string {
  const ids = new Set<string>();
  for (const update of updates) {
    const { structs, deletions } = decodeUpdate(update);
    for (const [what, ranges] of [
      ["held", structs],
      ["deleted", deletions],
    ] as const) {
      for (const [client, start, end] of ranges) {
        for (let clock = start; clock < end; clock++) ids.add(`${what} ${client}:${clock}`);
      }
    }
  }
  return [...ids].sort().join("\n");
}

describe("a document on the server", () => {
  it("is rebuilt by what it hands out, in whatever order and how often the updates came", () => {
    fc.assert(
      fc.property(
        editHistories,
        choices,
        choices,
        pieceSizes,
        ({ updates }, order, twice, size) => {
          const log = logOf(shuffled([...updates, ...someOf(updates, twice)], order), size);
          expect(contentOf(docOf(log.updates()))).toEqual(contentOf(docOf(updates)));
        },
      ),
      runs,
    );
  });

  it("is rebuilt from what was stored, in whatever order and how often it was stored", () => {
    fc.assert(
      fc.property(
        editHistories,
        choices,
        choices,
        pieceSizes,
        ({ updates }, order, twice, size) => {
          const log = new UpdateLog(shuffled([...updates, ...someOf(updates, twice)], order), size);
          expect(contentOf(docOf(log.updates()))).toEqual(contentOf(docOf(updates)));
        },
      ),
      runs,
    );
  });

  it("says `known` of an update exactly when it holds all of it", () => {
    fc.assert(
      fc.property(editHistories, choices, ({ updates }, order) => {
        const log = new UpdateLog();
        const before: Uint8Array[] = [];
        for (const update of shuffled([...updates, ...updates], order)) {
          const holdsAll = idsIn([...before, update]) === idsIn(before);
          expect(log.isKnown(update)).toBe(holdsAll);
          expect(log.append(update)).toBe(holdsAll ? "known" : "added");
          before.push(update);
        }
      }),
      runs,
    );
  });

  it("has the state vector that Yjs has", () => {
    fc.assert(
      fc.property(editHistories, choices, ({ updates }, order) => {
        const log = logOf(shuffled(updates, order));
        expect(log.complete()).toBe(true);
        expect(Y.decodeStateVector(log.stateVector())).toEqual(
          Y.decodeStateVector(Y.encodeStateVector(docOf(updates))),
        );
      }),
      runs,
    );
  });

  it("brings a client that fell behind exactly here, and sends a client that is here no operation", () => {
    fc.assert(
      fc.property(editHistories, fc.nat(), choices, pieceSizes, ({ updates }, cut, order, size) => {
        const log = logOf(shuffled(updates, order), size);
        const stale = docOf(updates.slice(0, cut % (updates.length + 1)));
        const expected = contentOf(docOf(updates));
        applyAll(stale, log.diff(Y.encodeStateVector(stale)));
        expect(contentOf(stale)).toEqual(expected);
        const nothing = log.diff(Y.encodeStateVector(stale));
        expect(nothing.flatMap((update) => decodeUpdate(update).structs)).toEqual([]);
      }),
      runs,
    );
  });

  it("brings a client here that has seen only some of it, out of order", () => {
    fc.assert(
      fc.property(editHistories, choices, choices, ({ updates }, seen, order) => {
        const log = logOf(shuffled(updates, order));
        const stale = docOf(shuffled(someOf(updates, seen), order));
        applyAll(stale, log.diff(Y.encodeStateVector(stale)));
        expect(contentOf(stale)).toEqual(contentOf(docOf(updates)));
      }),
      runs,
    );
  });

  it("has the same digest as another exactly when both hold the same operations and deletions", () => {
    fc.assert(
      fc.property(editHistories, choices, choices, choices, ({ updates }, one, other, order) => {
        const mine = someOf(updates, one);
        const theirs = shuffled(someOf(updates, other), order);
        const same = idsIn(mine) === idsIn(theirs);
        const equal = Buffer.compare(logOf(mine).digest(), logOf(theirs).digest()) === 0;
        expect(equal).toBe(same);
        const merged = logOf([Y.mergeUpdates(mine.length === 0 ? [EMPTY] : mine)]);
        expect(merged.digest()).toEqual(logOf(mine).digest());
      }),
      runs,
    );
  });

  it("has another digest after a deletion, though the state vector stays the same", () => {
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    doc.getText("text").insert(0, "hello");
    const [log, behind] = [logOf(updates), logOf(updates)];
    doc.getText("text").delete(1, 2);
    log.append(updates.at(-1) ?? EMPTY);
    expect(log.stateVector()).toEqual(behind.stateVector());
    expect(log.digest()).not.toEqual(behind.digest());
    applyAll(doc, log.diff(behind.stateVector()));
    for (const update of log.diff(behind.stateVector())) behind.append(new Uint8Array(update));
    expect(log.digest()).toEqual(behind.digest());
  });

  it("is incomplete while operations are missing before others of the same client", () => {
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    for (const letter of "abc") doc.getText("text").insert(0, letter);
    const [a = EMPTY, b = EMPTY, c = EMPTY] = updates;
    const log = logOf([a, c]);
    expect(log.complete()).toBe(false);
    expect(Y.decodeStateVector(log.stateVector()).get(doc.clientID)).toBe(1);
    const headless = logOf([b, c]);
    expect(headless.complete()).toBe(false);
    expect(Y.decodeStateVector(headless.stateVector()).has(doc.clientID)).toBe(false);
    log.append(b);
    expect(log.complete()).toBe(true);
    expect(Y.decodeStateVector(log.stateVector()).get(doc.clientID)).toBe(3);
  });
});

const EMPTY = new Uint8Array([0, 0]);

function varUint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varUint(Math.floor(value / 128))];
}

describe("bytes that are no update", () => {
  it("are refused when they are cut off anywhere, and change nothing", () => {
    fc.assert(
      fc.property(editHistories, fc.nat(), fc.nat(), ({ updates }, which, cut) => {
        const update = updates[which % updates.length] ?? EMPTY;
        const log = logOf(updates.filter((other) => other !== update));
        const before = stateOf(log);
        const truncated = new Uint8Array(update.slice(0, cut % update.length));
        expect(() => log.append(truncated)).toThrow(MalformedUpdateError);
        expect(() => log.isKnown(truncated)).toThrow(MalformedUpdateError);
        expect(stateOf(log)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it("are refused or taken as a whole when bytes of them are changed", () => {
    let refused = 0;
    fc.assert(
      fc.property(
        editHistories,
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
        ({ updates }, which, changes) => {
          const mutated = new Uint8Array(updates[which % updates.length] ?? EMPTY);
          for (const [at, byte] of changes) mutated[at % mutated.length] = byte;
          const log = logOf(updates.slice(0, which % updates.length));
          const before = stateOf(log);
          let outcome: string;
          try {
            outcome = log.append(mutated);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedUpdateError);
            outcome = "refused";
            refused += 1;
          }
          if (outcome === "added") expect(log.isKnown(mutated)).toBe(true);
          else expect(stateOf(log)).toEqual(before);
        },
      ),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});

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
      fc.property(editHistories, fc.nat(), choices, ({ updates }, cut, order) => {
        const half = cut % (updates.length + 1);
        const log = logOf(updates.slice(0, half), 24);
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

describe("a keystroke in a large document", () => {
  it("merges nothing, builds no document, and is the only thing that is kept of it", () => {
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "x".repeat(1_000_000));
    const log = new UpdateLog([Y.encodeStateAsUpdate(doc)]);
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    for (let i = 0; i < 500; i++) doc.getText("text").insert(i * 7, "y");
    const before = log.byteLength;
    costly.calls = 0;
    for (const update of updates) {
      expect(log.append(update)).toBe("added");
      expect(log.bloated).toBe(false);
      log.stateVector();
    }
    expect(costly.calls).toBe(0);
    expect(log.byteLength - before).toBe(updates.reduce((sum, { length }) => sum + length, 0));
    // Nor is anything merged by Yjs for somebody who joins.
    const handedOut = log.updates();
    expect(costly.calls).toBe(0);
    expect(docOf(handedOut).getText("text").toString()).toBe(doc.getText("text").toString());
  });

  it("makes compacting due only as often as the document doubles", () => {
    const log = new UpdateLog();
    const doc = new Y.Doc();
    let compactions = 0;
    doc.on("update", (update: Uint8Array) => {
      log.append(update);
      if (!log.bloated) return;
      compactions += 1;
      log.compact();
    });
    for (let i = 0; i < 20_000; i++) doc.getText("text").insert(Math.floor(i / 2), "z");
    const total = log.byteLength;
    expect(compactions).toBeGreaterThan(0);
    expect(compactions).toBeLessThanOrEqual(2 + (20_000 * 24) / (32 * 1024) + Math.log2(total));
  });
});

describe("a document that is typed for long before it is compacted", () => {
  it("is gathered a few hundred keystrokes at a time, so that a joiner waits for no more than that", () => {
    const { doc, log, updates } = typed(2000);
    let gathered = 0;
    for (const update of updates) {
      log.append(update);
      if (!log.scattered) continue;
      log.gather();
      gathered += 1;
    }
    expect(gathered).toBe(Math.floor(2000 / 512));
    costly.calls = 0;
    const handedOut = log.updates();
    expect(costly.calls).toBe(0);
    expect(handedOut.length).toBeLessThan(20);
    expect(docOf(handedOut).getText("text").toString()).toBe(doc.getText("text").toString());
    costly.calls = 0;
    expect(log.updates()).toEqual(handedOut);
    expect(costly.calls).toBe(0);
  });

  it("stays a few updates, though somebody joins after each keystroke", () => {
    const { doc, log, updates } = typed(600);
    let most = 0;
    for (const update of updates) {
      log.append(update);
      most = Math.max(most, log.updates().length);
    }
    expect(most).toBeLessThanOrEqual(3);
    expect(docOf(log.updates()).getText("text").toString()).toBe(doc.getText("text").toString());
  });
});
