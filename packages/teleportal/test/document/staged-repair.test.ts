import { decodeStateVector } from "@teleportal/sync-core";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { History } from "../../src/document/history.ts";
import { StagedRepair } from "../../src/document/staged-repair.ts";

const PEER = { sender: "00000000000000aa", epoch: 1 };
const OTHER = { sender: "00000000000000bb", epoch: 1 };

/** What a peer holds after each letter that it has typed. */
function typeLetters(count: number) {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  const held: ReadonlyMap<number, number>[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  for (let i = 0; i < count; i++) {
    doc.getText("text").insert(i, "x");
    held.push(decodeStateVector(Y.encodeStateVector(doc)) ?? new Map());
  }
  return { updates, held };
}

describe("a repair in parts", () => {
  const { updates, held } = typeLetters(4);
  const [first = new Uint8Array(), second = new Uint8Array(), third = new Uint8Array()] = updates;
  const heldAfter = (letters: number) => held[letters - 1] ?? new Map<number, number>();

  it("is complete when the peer that sends it says that it holds all of its parts", () => {
    const repair = new StagedRepair(new History());
    for (const part of [first, second]) expect(repair.add(part, PEER)).toBe(true);
    expect(repair.finish(PEER, heldAfter(3))).toBeInstanceOf(History);
    expect(repair.finish(PEER, heldAfter(3))).toBe("none");
  });

  it("is not ended by an earlier reply of the same peer that comes twice", () => {
    const repair = new StagedRepair(new History());
    for (const part of [first, second, third]) repair.add(part, PEER);
    expect(repair.finish(PEER, heldAfter(1))).toBe("outdated");
  });

  it("is gone on with by another peer that holds its parts, and begun anew with one that does not", () => {
    const repair = new StagedRepair(new History());
    for (const part of [first, second]) repair.add(part, PEER);
    expect(repair.finish(OTHER, heldAfter(2))).toBeInstanceOf(History);
    for (const part of [first, second]) repair.add(part, PEER);
    expect(repair.finish(OTHER, heldAfter(1))).toBe("outdated");
  });

  it("may have parts behind a hole, of which no state vector tells", () => {
    const repair = new StagedRepair(new History());
    for (const part of [second, third]) repair.add(part, PEER);
    expect(repair.finish(PEER, new Map())).toBeInstanceOf(History);
  });

  it("brings nothing new with what is held or staged already", () => {
    const history = new History();
    history.take(first);
    const repair = new StagedRepair(history);
    expect(repair.add(first, PEER)).toBe(false);
    expect(repair.add(second, PEER)).toBe(true);
    expect(repair.add(second, PEER)).toBe(false);
  });
});
