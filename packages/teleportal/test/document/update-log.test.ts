import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { decodeUpdate, MalformedUpdateError } from "../../src/document/decoded-update.ts";
import { UpdateLog } from "../../src/document/update-log.ts";
import { choices, contentOf, docOf, editHistories, shuffled, someOf } from "./edit-history.ts";
import { applyAll, EMPTY, logOf, pieceSizes, runs } from "./log-of.ts";

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

describe("bytes that are no update", () => {
  it("are refused when they are cut off anywhere, and change nothing", () => {
    fc.assert(
      fc.property(editHistories, fc.nat(), fc.nat(), ({ updates }, which, cut) => {
        const update = updates[which % updates.length] ?? EMPTY;
        const log = logOf(updates.filter((other) => other !== update));
        const before = stateOf(log);
        const truncated = new Uint8Array(update.slice(0, cut % update.length));
        // What was cut off does not count where it stands behind, as in a socket's buffer.
        const view = new Uint8Array(update).subarray(0, truncated.length);
        for (const bytes of [truncated, view]) {
          expect(() => log.append(bytes)).toThrow(MalformedUpdateError);
          expect(() => log.isKnown(bytes)).toThrow(MalformedUpdateError);
        }
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
