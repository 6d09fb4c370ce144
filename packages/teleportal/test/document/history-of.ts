import fc from "fast-check";
import * as Y from "yjs";
import { finishSteps } from "../../src/document/background-work.ts";
import type { DeletedContent } from "../../src/document/compact-records.ts";
import { History } from "../../src/document/history.ts";
import { joinParts } from "../../src/yjs-v1/update-writer.ts";
import { editHistories } from "./edit-history.ts";
import { richHistories } from "./rich-history.ts";

export const runs = { numRuns: 150 };

/** An update that holds nothing. */
export const EMPTY = new Uint8Array([0, 0]);

/** What people have done, small enough to be understood when a property fails, or with everything that Yjs has. */
export const histories: fc.Arbitrary<{ readonly updates: readonly Uint8Array[] }> = fc.oneof(
  editHistories,
  richHistories({ pastServer: true, maxSize: 60 }),
);

/** Sizes of what is handed out in parts: so small that most documents have several, and as they are. */
export const sizes = fc.constantFrom(1, 24, 200, 1_000_000);

export function historyOf(updates: readonly Uint8Array[]): History {
  const history = new History();
  for (const update of updates) history.take(update);
  return history;
}

/** Does all of it at once. */
export function compact(history: History, deletedContent?: DeletedContent): void {
  finishSteps(history.compact(deletedContent));
}

/** The frames of a download, each in one piece. */
export function download(
  history: History,
  stateVector: Uint8Array,
  frameBytes?: number,
): Uint8Array[] {
  return history.download(stateVector, frameBytes).map(joinParts);
}

export function applyAll(doc: Y.Doc, updates: readonly Uint8Array[]): void {
  for (const update of updates) Y.applyUpdate(doc, update);
}

/** A stored document of a megabyte, and keystrokes in it. */
export function typed(keystrokes: number) {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "x".repeat(1_000_000));
  const history = new History();
  history.load(Y.encodeStateAsUpdate(doc));
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  for (let i = 0; i < keystrokes; i++) doc.getText("text").insert(i * 3, "y");
  return { doc, history, updates };
}
