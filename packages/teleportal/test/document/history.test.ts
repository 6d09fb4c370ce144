import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { History } from "../../src/document/history.ts";
import { MalformedUpdateError } from "../../src/yjs-v1/malformed-update-error.ts";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import { delivered, deliveries, picked } from "./delivery.ts";
import { differenceBetween } from "./document-difference.ts";
import { choices, editHistories, shuffled, someOf } from "./edit-history.ts";
import { applyAll, download, EMPTY, histories, historyOf, runs, sizes } from "./history-of.ts";
import { richDocumentOf } from "./rich-history.ts";

/** Everything observable of a history, without making it gather anything. */
function stateOf(history: History): unknown {
  return [
    history.byteLength,
    history.bloated,
    history.complete(),
    history.stateVector(),
    history.digest(),
  ];
}

/** Every operation and every deletion in `updates`, one by one. */
function idsIn(updates: readonly Uint8Array[]): string {
  const ids = new Set<string>();
  for (const update of updates) {
    const { runs: held, deletions } = readUpdate(update);
    for (const [what, of] of [
      ["held", held],
      ["deleted", deletions],
    ] as const) {
      for (const { client, start, end } of of) {
        for (let clock = start; clock < end; clock++) ids.add(`${what} ${client}:${clock}`);
      }
    }
  }
  return [...ids].sort().join("\n");
}

function expectSame(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  expect(differenceBetween(richDocumentOf(actual), richDocumentOf(expected))).toBeUndefined();
}

/** Applies it and makes no edit, as Yjs does that tidies up formats after what it receives. Returns whether it was seen. */
function receive(doc: Y.Doc, update: Uint8Array): boolean {
  const before = [Y.encodeStateVector(doc), Y.snapshot(doc)] as const;
  doc.transact((transaction) => {
    Y.applyUpdate(doc, update);
    transaction.local = true;
  });
  const after = Y.snapshot(doc);
  return !(
    Buffer.compare(Y.encodeStateVector(doc), before[0]) === 0 && Y.equalSnapshots(before[1], after)
  );
}

describe("a document on the server", () => {
  it("is what Yjs makes of its updates, in whatever order, how often and in which parts they came", () => {
    fc.assert(
      fc.property(histories, deliveries, ({ updates }, random) => {
        const history = new History();
        for (const update of delivered(updates, random)) {
          history.take(update);
          if (random.chance(0.2)) history.gather();
        }
        expect(history.complete()).toBe(true);
        expect(Y.decodeStateVector(history.stateVector())).toEqual(
          Y.decodeStateVector(Y.encodeStateVector(richDocumentOf(updates))),
        );
        expectSame([history.state()], updates);
        expect(history.digest()).toEqual(historyOf(updates).digest());
      }),
      runs,
    );
  });

  it("is rebuilt from the pieces that are stored, in whatever order they are loaded", () => {
    fc.assert(
      fc.property(histories, deliveries, sizes, choices, ({ updates }, random, size, order) => {
        const history = historyOf(delivered(updates, random));
        const pieces = history.pieces(size);
        expectSame(pieces, updates);
        const loaded = new History();
        for (const piece of shuffled(pieces, order)) loaded.load(piece);
        expect(loaded.digest()).toEqual(history.digest());
        expectSame([loaded.state()], updates);
      }),
      runs,
    );
  });

  it("hands on only what is new in an update, and that is all that others need", () => {
    fc.assert(
      fc.property(histories, deliveries, ({ updates }, random) => {
        const history = new History();
        const handedOn: Uint8Array[] = [];
        for (const update of delivered(updates, random)) {
          const known = history.isKnown(update);
          const before = history.state();
          const news = history.take(update);
          expect(news === undefined).toBe(known);
          if (news === undefined) continue;
          expect(history.isKnown(news)).toBe(true);
          // Each operation is handed on once.
          for (const { client, start, end } of readUpdate(news).runs) {
            expect(idsIn([before])).not.toMatch(
              new RegExp(`^held ${client}:(${start}|${end - 1})$`, "m"),
            );
          }
          handedOn.push(news);
        }
        expectSame(handedOn, updates);
        const doc = richDocumentOf([]);
        for (const update of handedOn) receive(doc, update);
        expect(differenceBetween(doc, richDocumentOf(updates))).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it("says of an update that it is known exactly when all of it is held", () => {
    fc.assert(
      fc.property(editHistories, choices, ({ updates }, order) => {
        const history = new History();
        const before: Uint8Array[] = [];
        for (const update of shuffled([...updates, ...updates], order)) {
          const holdsAll = idsIn([...before, update]) === idsIn(before);
          expect(history.isKnown(update)).toBe(holdsAll);
          expect(history.take(update) === undefined).toBe(holdsAll);
          before.push(update);
        }
      }),
      runs,
    );
  });

  it("brings everybody who fell behind exactly here, with the last frame and not before", () => {
    fc.assert(
      fc.property(histories, deliveries, sizes, ({ updates }, random, frameBytes) => {
        const history = historyOf(delivered(updates, random));
        const expected = richDocumentOf(updates);
        const prefix = updates.slice(0, random.integer(0, updates.length));
        for (const held of [[], prefix, picked(updates, random), updates]) {
          const stale = richDocumentOf(held);
          const stateVector = Y.encodeStateVector(stale);
          const frames = download(history, stateVector, frameBytes);
          const seen = frames.map((frame) => receive(stale, frame));
          expect(seen.slice(0, -1)).not.toContain(true);
          expect(differenceBetween(stale, expected)).toBeUndefined();
          const nothing = download(history, Y.encodeStateVector(stale), frameBytes);
          expect(nothing.flatMap((frame) => readUpdate(frame).runs)).toEqual([]);
        }
      }),
      runs,
    );
  });

  it("brings every editor exactly here", () => {
    fc.assert(
      fc.property(editHistories, choices, sizes, ({ updates, editors }, order, frameBytes) => {
        const history = historyOf(shuffled(updates, order));
        for (const editor of editors) {
          const stale = richDocumentOf([Y.encodeStateAsUpdate(editor)]);
          for (const frame of download(history, Y.encodeStateVector(editor), frameBytes)) {
            receive(stale, frame);
          }
          expect(differenceBetween(stale, richDocumentOf(updates))).toBeUndefined();
        }
      }),
      runs,
    );
  });

  it("repairs a peer part by part, whatever that holds", () => {
    fc.assert(
      fc.property(histories, deliveries, sizes, ({ updates }, random, limit) => {
        const history = historyOf(delivered(updates, random));
        const peer = historyOf(updates.slice(0, random.integer(0, updates.length)));
        for (let whole = false, parts = 0; !whole; parts++) {
          const before = peer.digest();
          const part = history.difference(peer.stateVector(), limit);
          ({ whole } = part);
          if (part.update !== undefined) peer.take(part.update);
          if (!whole) expect(peer.digest()).not.toEqual(before);
          expect(parts).toBeLessThan(10_000);
        }
        expect(peer.digest()).toEqual(history.digest());
        expectSame([peer.state()], updates);
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
        const equal = Buffer.compare(historyOf(mine).digest(), historyOf(theirs).digest()) === 0;
        expect(equal).toBe(same);
        const merged = historyOf([Y.mergeUpdates(mine.length === 0 ? [EMPTY] : mine)]);
        expect(merged.digest()).toEqual(historyOf(mine).digest());
      }),
      runs,
    );
  });

  it("says what it and another hold together", () => {
    fc.assert(
      fc.property(editHistories, choices, choices, ({ updates }, one, other) => {
        const [mine, theirs] = [someOf(updates, one), someOf(updates, other)];
        const both = historyOf([...mine, ...theirs]);
        const { stateVector, digest } = historyOf(mine).together(historyOf(theirs));
        expect(Y.decodeStateVector(stateVector)).toEqual(Y.decodeStateVector(both.stateVector()));
        expect(digest).toEqual(both.digest());
      }),
      runs,
    );
  });

  it("has another digest after a deletion, though the state vector stays the same", () => {
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    doc.getText("text").insert(0, "hello");
    const [history, behind] = [historyOf(updates), historyOf(updates)];
    doc.getText("text").delete(1, 2);
    history.take(updates.at(-1) ?? EMPTY);
    expect(history.stateVector()).toEqual(behind.stateVector());
    expect(history.digest()).not.toEqual(behind.digest());
    const frames = download(history, behind.stateVector());
    applyAll(doc, frames);
    for (const frame of frames) behind.take(frame);
    expect(history.digest()).toEqual(behind.digest());
  });

  it("is incomplete while operations are missing before others of the same client", () => {
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    for (const letter of "abc") doc.getText("text").insert(0, letter);
    const [a = EMPTY, b = EMPTY, c = EMPTY] = updates;
    const history = historyOf([a, c]);
    expect(history.complete()).toBe(false);
    expect(Y.decodeStateVector(history.stateVector()).get(doc.clientID)).toBe(1);
    const headless = historyOf([b, c]);
    expect(headless.complete()).toBe(false);
    expect(Y.decodeStateVector(headless.stateVector()).has(doc.clientID)).toBe(false);
    history.take(b);
    expect(history.complete()).toBe(true);
    expect(Y.decodeStateVector(history.stateVector()).get(doc.clientID)).toBe(3);
  });

  it("takes an update whose clients do not stand as Yjs writes them, and hands it on as Yjs does", () => {
    // Client 1 has typed `a`, and client 2 behind it; the lower client stands first.
    const unordered = Uint8Array.of(
      2,
      1,
      1,
      0,
      4,
      1,
      4,
      116,
      101,
      120,
      116,
      1,
      97,
      1,
      2,
      0,
      0x84,
      1,
      0,
      1,
      98,
      0,
    );
    const history = new History();
    const news = history.take(unordered);
    expect(news).toBeDefined();
    expect(news).not.toBe(unordered);
    expect(readUpdate(news ?? EMPTY).runs.map(({ client }) => client)).toEqual([2, 1]);
    expect(
      richDocumentOf([news ?? EMPTY])
        .getText("text")
        .toString(),
    ).toBe("ab");
    expect(history.take(unordered)).toBeUndefined();
  });

  it("keeps a copy: the buffers that updates came in are used again", () => {
    fc.assert(
      fc.property(histories, ({ updates }) => {
        const history = new History();
        const long = new Y.Doc();
        long.getText("other").insert(0, "x".repeat(10_000));
        for (const update of [...updates, Y.encodeStateAsUpdate(long)]) {
          const pool = Buffer.alloc(update.length + 20);
          pool.set(update, 10);
          history.take(pool.subarray(10, 10 + update.length));
          pool.fill(0xff);
        }
        expectSame([history.state()], [...updates, Y.encodeStateAsUpdate(long)]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("bytes that are no update", () => {
  it("are refused when they are cut off anywhere, and change nothing", () => {
    fc.assert(
      fc.property(histories, fc.nat(), fc.nat(), ({ updates }, which, cut) => {
        const update = updates[which % updates.length] ?? EMPTY;
        const history = historyOf(updates.filter((other) => other !== update));
        const before = stateOf(history);
        const truncated = new Uint8Array(update.slice(0, cut % update.length));
        // What was cut off does not count where it stands behind, as in a socket's buffer.
        const view = new Uint8Array(update).subarray(0, truncated.length);
        for (const bytes of [truncated, view]) {
          expect(() => history.take(bytes)).toThrow(MalformedUpdateError);
          expect(() => history.load(bytes)).toThrow(MalformedUpdateError);
          expect(() => history.isKnown(bytes)).toThrow(MalformedUpdateError);
        }
        expect(stateOf(history)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it("are refused or taken as a whole when bytes of them are changed", () => {
    let refused = 0;
    fc.assert(
      fc.property(
        histories,
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
        ({ updates }, which, changes) => {
          const mutated = new Uint8Array(updates[which % updates.length] ?? EMPTY);
          for (const [at, byte] of changes) mutated[at % mutated.length] = byte;
          const history = historyOf(updates.slice(0, which % updates.length));
          const before = stateOf(history);
          let news: Uint8Array | undefined;
          try {
            news = history.take(mutated);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedUpdateError);
            refused += 1;
          }
          if (news !== undefined) expect(history.isKnown(mutated)).toBe(true);
          else expect(stateOf(history)).toEqual(before);
          // Whatever it was, what is held can be read.
          expect(historyOf([history.state()]).digest()).toEqual(history.digest());
        },
      ),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
