import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { Random } from "./random.ts";
import type { WrittenDocument } from "./write-together.ts";

/** One more edit of a document that was written, by an author who has it whole; and what it looks like then. */
export async function typeAWord(
  { kind, state }: WrittenDocument,
  random: Random,
): Promise<{ readonly update: Uint8Array; readonly content: unknown }> {
  const doc = new Y.Doc();
  const editor = kind.open(doc, new Awareness(doc));
  try {
    Y.applyUpdate(doc, state);
    await new Promise((resolve) => setTimeout(resolve, 0));
    const made: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => made.push(update));
    editor.type(random);
    return { update: Y.mergeUpdates(made), content: editor.content() };
  } finally {
    editor.destroy();
    doc.destroy();
  }
}
