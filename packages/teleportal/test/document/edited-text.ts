import * as Y from "yjs";

/** The updates of a document, one for each time that `edit` changes its text. */
export function updatesOf(edit: (text: Y.Text) => void, name = "text"): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(new Uint8Array(update)));
  edit(doc.getText(name));
  return updates;
}
