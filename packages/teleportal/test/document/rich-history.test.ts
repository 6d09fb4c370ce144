import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { differenceBetween } from "./document-difference.ts";
import { createRichHistory, richDocumentOf, richHistories } from "./rich-history.ts";
import type { RichHistory } from "./rich-history.ts";
import { choices, shuffled } from "./edit-history.ts";

const SEEDS = Array.from({ length: 100 }, (_, seed) => seed);
const HISTORIES = SEEDS.map((seed) => createRichHistory(seed));

/** What stands in an update: contents, types and formats by their names. */
function kindsIn(update: Uint8Array): string[] {
  return Y.decodeUpdate(update).structs.map((struct) => {
    if (!(struct instanceof Y.Item)) return struct.constructor.name;
    const { content } = struct;
    return content instanceof Y.ContentType
      ? content.type.constructor.name
      : content.constructor.name;
  });
}

function sizeOf({ updates }: RichHistory): number {
  return updates.reduce((sum, { length }) => sum + length, 0);
}

describe("a rich history", () => {
  it("is the same in every run, and another for another seed", () => {
    const [one, same, other] = [7, 7, 8].map((seed) => createRichHistory(seed, { size: 200 }));
    expect(same?.made).toEqual(one?.made);
    expect(other?.made).not.toEqual(one?.made);
  });

  it("holds everything that Yjs has", () => {
    const kinds = new Set(HISTORIES.flatMap(({ updates }) => updates.flatMap(kindsIn)));
    expect([...kinds].sort().join(" ")).toBe(
      "ContentAny ContentBinary ContentDeleted ContentDoc ContentEmbed ContentFormat ContentString GC " +
        "YArray YMap YText YXmlElement YXmlFragment YXmlHook YXmlText",
    );
  });

  it("has surrogate pairs, large pastes, returns from offline and client ids of all lengths", () => {
    const clients = HISTORIES.flatMap(({ sessions }) => sessions.map(({ doc }) => doc.clientID));
    expect(Math.min(...clients)).toBeLessThan(128);
    expect(Math.max(...clients)).toBeGreaterThan(0xffff_ffff);
    expect(HISTORIES.some(({ sessions }) => sessions.some(({ left }) => left))).toBe(true);
    expect(HISTORIES.some(({ sessions }) => sessions.some(({ doc }) => !doc.gc))).toBe(true);
    expect(Math.max(...HISTORIES.map(sizeOf))).toBeGreaterThan(10_000);
    const texts = HISTORIES.map(({ updates }) => richDocumentOf(updates).getText("text").toJSON());
    expect(texts.join("")).toMatch(/😀/u);
    expect(texts.join("")).not.toContain("\ufffd");
  });

  it("grows with its size", () => {
    const [small, large] = [20, 500].map((size) => createRichHistory(3, { size }).updates.length);
    expect(large).toBeGreaterThan(8 * (small ?? 0));
  });

  it("ends with the same document in every session, the one that its updates make", () => {
    fc.assert(
      fc.property(richHistories({ pastServer: true }), fc.boolean(), (history, gc) => {
        const expected = richDocumentOf(history.updates, { gc });
        for (const { doc, left } of history.sessions) {
          if (!left) expect(differenceBetween(doc, expected)).toBeUndefined();
        }
      }),
      { numRuns: 200 },
    );
  });

  it("makes the same document in whatever order its updates come", () => {
    fc.assert(
      fc.property(richHistories({ tornPairs: true }), choices, ({ updates }, order) => {
        const expected = richDocumentOf(updates);
        expect(
          differenceBetween(richDocumentOf(shuffled(updates, order)), expected),
        ).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it("gives the server nothing before what it builds on, unless sessions hear of each other past it", () => {
    const waitingIn = ({ updates }: RichHistory): boolean => {
      const doc = new Y.Doc();
      return updates.some((update) => {
        Y.applyUpdate(doc, update);
        return doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
      });
    };
    expect(HISTORIES.filter(waitingIn)).toEqual([]);
    const past = SEEDS.map((seed) => createRichHistory(seed, { pastServer: true }));
    expect(past.filter(waitingIn).length).toBeGreaterThan(SEEDS.length / 20);
  });
});

describe("the difference between two documents", () => {
  function edited(edit: (doc: Y.Doc) => void): string | undefined {
    const updates = [...createRichHistory(11, { size: 150 }).updates];
    const [one, other] = [richDocumentOf(updates), richDocumentOf(updates)];
    other.clientID = 1;
    edit(other);
    return differenceBetween(one, other);
  }

  it("is nothing for a document and its copy, whatever either has collected", () => {
    const { updates } = createRichHistory(11, { size: 300 });
    const whole = richDocumentOf(updates, { gc: false });
    const collected = richDocumentOf([Y.encodeStateAsUpdate(richDocumentOf(updates))]);
    expect(Y.encodeStateAsUpdate(collected).length).toBeLessThan(
      Y.encodeStateAsUpdate(whole).length,
    );
    expect(differenceBetween(whole, collected)).toBeUndefined();
    expect(differenceBetween(collected, whole)).toBeUndefined();
  });

  it("is found in one more letter, one deletion, and a value", () => {
    expect(edited(() => {})).toBeUndefined();
    expect(edited((doc) => doc.getText("text").insert(0, "x"))).toMatch(/^state/);
    expect(edited((doc) => doc.getText("text").delete(0, 1))).toMatch(/^deletions/);
    const updates = ["here", "more"].map((text) => {
      const doc = new Y.Doc();
      doc.clientID = 1;
      doc.getText("text").insert(0, text);
      return Y.encodeStateAsUpdate(doc);
    });
    const [one, other] = updates.map((update) => richDocumentOf([update]));
    expect(one && other && differenceBetween(one, other)).toMatch(/^operation 1:0/);
  });

  it("is found in what waits for what it builds on", () => {
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "ab");
    const before = Y.encodeStateVector(doc);
    doc.getText("text").insert(2, "c");
    const waiting = richDocumentOf([Y.encodeStateAsUpdate(doc, before)]);
    expect(differenceBetween(waiting, richDocumentOf([]))).toMatch(/^waiting/);
  });
});
