import * as Y from "yjs";

/** An update in which a client of its own types `text`. */
export function updateOf(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}
