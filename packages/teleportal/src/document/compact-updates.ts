import * as Y from "yjs";

/**
 * Many updates as one, without the content of what was deleted: text typed and erased leaves almost nothing. Takes
 * time with the size of the document (about 40 ms per MB), so never on the way of a keystroke.
 *
 * Operations whose predecessors are missing stay, and so do deletions of what is missing.
 *
 * @throws what Yjs throws on updates that decode but cannot be applied.
 */
export function compactUpdates(updates: readonly Uint8Array[]): Uint8Array {
  const doc = new Y.Doc({ gc: true });
  try {
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, update);
    });
    return Y.encodeStateAsUpdate(doc);
  } finally {
    doc.destroy();
  }
}
