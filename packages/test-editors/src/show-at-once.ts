import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { EditorKind } from "./editor.ts";

/** What an editor shows that is given a document in one transaction: no state in between can have done anything to it. */
export async function showAtOnce(kind: EditorKind, state: Uint8Array): Promise<unknown> {
  const doc = new Y.Doc();
  const editor = kind.open(doc, new Awareness(doc));
  try {
    Y.applyUpdate(doc, state);
    await new Promise((resolve) => setTimeout(resolve, 0));
    return editor.content();
  } finally {
    editor.destroy();
    doc.destroy();
  }
}
