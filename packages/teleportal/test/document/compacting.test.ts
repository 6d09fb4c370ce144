import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { History } from "../../src/document/history.ts";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import type { Random } from "../simulation/random.ts";
import { delivered, deliveries, inAnyOrder, picked } from "./delivery.ts";
import { differenceBetween, shownBy } from "./document-difference.ts";
import {
  applyAll,
  compact,
  download,
  histories,
  historyOf,
  runs,
  sizes,
  typed,
} from "./history-of.ts";
import { richRoots } from "./rich-edit.ts";
import { richDocumentOf, richHistories } from "./rich-history.ts";

function expectSame(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  expect(differenceBetween(richDocumentOf(actual), richDocumentOf(expected))).toBeUndefined();
}

/** What is gone according to the structs of an update, though no deletion says so. */
function goneUnsaid(update: Uint8Array): string[] {
  const { structs, ds } = Y.decodeUpdate(update);
  const gone = structs.filter(
    (struct) =>
      struct instanceof Y.GC ||
      (struct instanceof Y.Item && struct.content instanceof Y.ContentDeleted),
  );
  return gone.flatMap(({ id, length }) =>
    Array.from({ length }, (_, offset) => Y.createID(id.client, id.clock + offset))
      .filter((each) => !Y.isDeleted(ds, each))
      .map(({ client, clock }) => `${client}:${clock}`),
  );
}

/** A few pastes among the updates, each so large that compacting pauses after it. */
function amongPastes(updates: readonly Uint8Array[], random: Random): Uint8Array[] {
  const pastes = Array.from({ length: 3 }, () => {
    const doc = new Y.Doc();
    doc.getText("pasted").insert(0, "x".repeat(70_000));
    return Y.encodeStateAsUpdate(doc);
  });
  return inAnyOrder([...updates, ...pastes], random);
}

describe("compacting", () => {
  it("changes nothing of what is held, and deletes nothing that was not deleted", () => {
    fc.assert(
      fc.property(histories, deliveries, fc.boolean(), ({ updates }, random, all) => {
        // Also when some of it is missing.
        const given = delivered(all ? updates : picked(updates, random), random);
        const history = historyOf(given);
        const before = [history.complete(), history.stateVector(), history.digest()];
        compact(history);
        expect([history.complete(), history.stateVector(), history.digest()]).toEqual(before);
        const state = history.state();
        expect(historyOf([state]).digest()).toEqual(history.digest());
        expect(goneUnsaid(state)).toEqual([]);
        // What waits in Yjs for what is missing depends on the order in which it came.
        if (all) expectSame([state], given);
        for (const update of given) expect(history.take(update)).toBeUndefined();
      }),
      runs,
    );
  });

  it("loses nothing, whatever is there and in whatever order the rest comes", () => {
    fc.assert(
      fc.property(histories, deliveries, sizes, ({ updates }, random, size) => {
        const history = historyOf(inAnyOrder(picked(updates, random), random));
        compact(history);
        for (const update of delivered(updates, random)) history.take(update);
        compact(history);
        expect(history.complete()).toBe(true);
        expectSame(history.pieces(size), updates);
        const stale = richDocumentOf(picked(updates, random));
        const frames = download(history, Y.encodeStateVector(stale), size);
        expectSame([Y.encodeStateAsUpdate(stale), ...frames], updates);
      }),
      runs,
    );
  });

  it("loses nothing that comes between its steps, and may be given up after any of them", () => {
    let pauses = 0;
    fc.assert(
      fc.property(histories, deliveries, fc.nat(4), ({ updates }, random, most) => {
        const all = amongPastes(updates, random);
        const rest = inAnyOrder(all, random);
        const history = historyOf(rest.splice(0, random.integer(1, all.length)));
        const steps = history.compact();
        for (let step = 0; step < most && steps.next().done !== true; step++) {
          pauses += 1;
          for (const update of rest.splice(0, random.integer(0, 3))) history.take(update);
          if (random.chance(0.3)) history.gather();
          const stale = richDocumentOf(picked(all, random));
          const frames = download(history, Y.encodeStateVector(stale));
          expect(historyOf([Y.encodeStateAsUpdate(stale), ...frames]).complete()).toBe(
            historyOf([Y.encodeStateAsUpdate(stale), history.state()]).complete(),
          );
        }
        for (const update of rest) history.take(update);
        expect(history.digest()).toEqual(historyOf(all).digest());
        expectSame([history.state()], all);
        compact(history);
        expectSame([history.state()], all);
      }),
      { numRuns: 150 },
    );
    expect(pauses).toBeGreaterThan(150);
  });

  it("finds nothing more to do in what is compact", () => {
    fc.assert(
      fc.property(histories, deliveries, ({ updates }, random) => {
        const history = historyOf(delivered(updates, random));
        compact(history);
        const once = history.state().length;
        expect(history.bloated).toBe(false);
        compact(history);
        expect(history.state().length).toBeLessThanOrEqual(once);
        expectSame([history.state()], updates);
      }),
      runs,
    );
  });

  it("takes no more room than Yjs does, which collects garbage as well", () => {
    fc.assert(
      fc.property(histories, deliveries, ({ updates }, random) => {
        const doc = richDocumentOf(updates);
        const byYjs = Y.encodeStateAsUpdate(doc);
        // With the deletions that only follow from the others.
        const history = historyOf([...delivered(updates, random), byYjs]);
        compact(history);
        compact(history);
        expect(history.state().length).toBeLessThanOrEqual(byYjs.length);
        expect(differenceBetween(richDocumentOf([history.state()]), doc)).toBeUndefined();
      }),
      runs,
    );
  });

  it("gives two that hold the same one digest again, though only one has compacted", () => {
    fc.assert(
      fc.property(histories, deliveries, ({ updates }, random) => {
        const compacted = historyOf(updates);
        compact(compacted);
        const other = historyOf(inAnyOrder(picked(updates, random), random));
        // What the replica does when digests differ.
        const { update } = compacted.difference(other.stateVector(), Number.POSITIVE_INFINITY);
        if (update !== undefined) other.take(update);
        expect(other.digest()).toEqual(compacted.digest());
      }),
      runs,
    );
  });

  it("leaves of a deleted type its deletion, and of what stood in it the clocks", () => {
    const doc = new Y.Doc({ gc: false });
    const list = new Y.Array<string>();
    doc.getMap("map").set("list", list);
    list.push(["some", "secret"]);
    doc.getMap("map").delete("list");
    const history = historyOf([Y.encodeStateAsUpdate(doc)]);
    compact(history);
    const { structs } = Y.decodeUpdate(history.state());
    expect(
      structs.map((struct) => (struct instanceof Y.Item ? struct.content.constructor : Y.GC)),
    ).toEqual([Y.ContentDeleted, Y.GC]);
    expect(Buffer.from(history.state()).includes("secret")).toBe(false);
  });

  it("reaches all of a document that came in hundreds of parts", () => {
    const doc = new Y.Doc({ gc: false });
    const history = new History();
    doc.on("update", (update: Uint8Array) => history.take(update));
    for (let i = 0; i < 200; i++) {
      doc.getText("text").insert(i * 3000, "x".repeat(3000));
      history.gather();
    }
    doc.getText("text").delete(0, doc.getText("text").length);
    expect(history.byteLength).toBeGreaterThan(600_000);
    compact(history);
    expect(history.byteLength).toBeLessThan(1000);
  });

  it("cuts nothing that is one: a letter typed behind another costs a byte", () => {
    const { doc, history, updates } = typed(0);
    for (let i = 0; i < 1000; i++) doc.getText("text").insert(5 + i, "y");
    for (const update of updates) history.take(update);
    compact(history);
    expect(Y.decodeUpdate(history.state()).structs.length).toBe(2);
  });
});

describe("compacting that keeps deleted content", () => {
  it("lets everything be restored that was there at any time", () => {
    fc.assert(
      fc.property(richHistories({ maxSize: 40 }), deliveries, ({ updates }, random) => {
        // Of a session that collects no garbage, which is what such a server asks of its clients.
        const doc = richDocumentOf([], { gc: false });
        const snapshots: { readonly snapshot: Y.Snapshot; readonly shown: unknown }[] = [];
        for (const update of updates) {
          Y.applyUpdate(doc, update);
          if (random.chance(0.3))
            snapshots.push({ snapshot: Y.snapshot(doc), shown: shownIn(doc) });
        }
        const history = historyOf([Y.encodeStateAsUpdate(doc)]);
        const digest = history.digest();
        for (let times = 0; times < 2; times++) {
          compact(history, "kept");
          expect(history.digest()).toEqual(digest);
          const restored = new Y.Doc({ gc: false });
          Y.applyUpdate(restored, history.state());
          for (const { snapshot, shown } of snapshots) {
            expect(shownIn(Y.createDocFromSnapshot(restored, snapshot))).toEqual(shown);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("joins what can be joined all the same", () => {
    const doc = new Y.Doc({ gc: false });
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    for (let i = 0; i < 500; i++) doc.getText("text").insert(i, "x");
    doc.getText("text").delete(100, 300);
    const history = historyOf(updates);
    compact(history, "kept");
    expect(history.state().length).toBeLessThan(560);
    const restored = new Y.Doc({ gc: false });
    Y.applyUpdate(restored, history.state());
    expect(Buffer.from(Y.encodeStateAsUpdate(restored)).toString("latin1")).toContain(
      "x".repeat(300),
    );
  });
});

function shownIn(doc: Y.Doc): unknown {
  richRoots(doc);
  return shownBy(doc);
}

/** As `Document` uses it: compacted whenever it says that it pays. */
function type(history: History, doc: Y.Doc, edit: (text: Y.Text) => void): void {
  const collect = (update: Uint8Array): void => {
    history.take(update);
    if (history.bloated) compact(history);
  };
  doc.on("update", collect);
  edit(doc.getText("text"));
  doc.off("update", collect);
}

describe("a document that is compacted when it pays", () => {
  it.each([
    ["a word", 5],
    ["a page", 3000],
    ["a book", 100_000],
  ])("leaves of %s typed and erased at most twice the smallest encoding", (_, letters) => {
    const doc = new Y.Doc();
    const history = new History();
    type(history, doc, (text) => {
      for (let i = 0; i < letters; i += 50) text.insert(i, "x".repeat(Math.min(50, letters - i)));
    });
    type(history, doc, (text) => text.delete(0, text.length));
    const smallest = Y.encodeStateAsUpdate(doc).length;
    // Less than pays is left as it is.
    expect(history.state().length).toBeLessThanOrEqual(Math.max(2 * smallest, 64 * 1024));
  });

  it("leaves of letters typed and erased one by one at most a few times the smallest encoding", () => {
    const doc = new Y.Doc();
    const history = new History();
    type(history, doc, (text) => {
      for (let round = 0; round < 200; round++) {
        for (const letter of "wrong word") text.insert(text.length, letter);
        for (let i = 0; i < 10; i++) text.delete(text.length - 1, 1);
        text.insert(text.length, ".");
      }
    });
    expect(history.state().length).toBeLessThanOrEqual(4 * Y.encodeStateAsUpdate(doc).length);
  });
});

it("what is erased while a document is compacted makes another compaction due", () => {
  const doc = new Y.Doc();
  const text = doc.getText("text");
  for (let i = 0; i < 40; i++) text.insert(0, "x".repeat(10_000));
  const history = historyOf([Y.encodeStateAsUpdate(doc)]);
  const before = Y.encodeStateVector(doc);
  const steps = history.compact();
  expect(steps.next().done).toBe(false);
  text.delete(0, text.length);
  history.take(Y.encodeStateAsUpdate(doc, before));
  while (steps.next().done !== true);
  expect(history.bloated).toBe(true);
  compact(history);
  expect(history.byteLength).toBeLessThan(1000);
});

it("deletions of what nobody has do not make compacting due again and again", () => {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "x".repeat(100_000));
  const history = new History();
  history.load(Y.encodeStateAsUpdate(doc));
  let compactions = 0;
  for (let clock = 0; clock < 20; clock++) {
    // A million operations of client 9 each.
    history.take(Uint8Array.of(0, 1, 9, 1, ...varUint(clock * 1_000_000), ...varUint(1_000_000)));
    if (!history.bloated) continue;
    compactions += 1;
    compact(history);
  }
  expect(compactions).toBeLessThanOrEqual(1);
});

function varUint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varUint(Math.floor(value / 128))];
}

describe("a document into which somebody has written what Yjs cannot apply", () => {
  /** One operation is gone according to the first, and a letter according to the second. */
  const contradiction = [
    Uint8Array.of(1, 1, 1, 0, 0, 1, 0),
    Uint8Array.of(1, 1, 1, 0, 4, 1, 4, 116, 101, 120, 116, 2, 97, 98, 0),
  ];

  it("is compacted, handed out, compared and loaded all the same", () => {
    expect(() => applyAll(new Y.Doc(), contradiction)).toThrow(TypeError);
    const history = historyOf(contradiction);
    compact(history);
    const state = history.state();
    expect(historyOf([state]).digest()).toEqual(historyOf(contradiction).digest());
    expect(download(history, Uint8Array.of(0))).toHaveLength(1);
    expect(historyOf(history.pieces(1)).state()).toEqual(state);
    expect(readUpdate(state).runs).toHaveLength(1);
  });

  it("is whole for Yjs as well, as what is handed on is cut to what is new", () => {
    const history = new History();
    const handedOn = contradiction
      .map((update) => history.take(update))
      .filter((news) => news !== undefined);
    for (const updates of [handedOn, [history.state()]]) {
      const doc = new Y.Doc();
      applyAll(doc, updates);
      expect(Y.decodeStateVector(Y.encodeStateVector(doc)).get(1)).toBe(2);
    }
  });
});
