import fc from "fast-check";
import * as Y from "yjs";
import { UpdateLog } from "../../src/document/update-log.ts";

export const runs = { numRuns: 300 };

/** Pieces as they are, and so small that most documents have several. */
export const pieceSizes = fc.constantFrom(undefined, 24);

/** An update that holds nothing. */
export const EMPTY = new Uint8Array([0, 0]);

export function logOf(updates: readonly Uint8Array[], pieceSize?: number): UpdateLog {
  const log = new UpdateLog([], pieceSize);
  for (const update of updates) log.append(update);
  return log;
}

export function applyAll(doc: Y.Doc, updates: readonly Uint8Array[]): void {
  for (const update of updates) Y.applyUpdate(doc, update);
}

/** A document of a megabyte, and keystrokes in it. */
export function typed(keystrokes: number) {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "x".repeat(1_000_000));
  const log = new UpdateLog([Y.encodeStateAsUpdate(doc)]);
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  for (let i = 0; i < keystrokes; i++) doc.getText("text").insert(i * 3, "y");
  return { doc, log, updates };
}
