import type { DocumentStorage } from "teleportal";
import * as Y from "yjs";

/** A Yjs update of a document with that text. */
export function updateOf(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

/** Stores so many updates that the document is compacted when it is closed: something to hold its closing up with. */
export async function makeCompactable(storage: DocumentStorage, documentId: string): Promise<void> {
  for (let i = 0; i < 70; i++) await storage.append(documentId, [updateOf("x")]);
}
