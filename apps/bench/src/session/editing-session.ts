import * as Y from "yjs";

/** One keystroke, and how far a reader is that holds it and all before it. */
export interface Keystroke {
  readonly update: Uint8Array;
  /** How many operations of the typist there are by then, and how many of them are deleted. */
  readonly clock: number;
  readonly deleted: number;
}

/** What one person types into an empty document, as the Yjs updates an editor would send. */
export interface EditingSession {
  readonly title: string;
  /** The typist's Yjs client id. */
  readonly client: number;
  readonly keystrokes: readonly Keystroke[];
}

export interface Edit {
  readonly position: number;
  readonly deleted: number;
  readonly inserted: string;
}

/** A document's text is under this name. */
const TEXT = "text";

/** Records edits as keystrokes: what is pasted or deleted at once stays one. */
export function recordSession(
  title: string,
  client: number,
  edits: Iterable<Edit>,
): EditingSession {
  const doc = new Y.Doc();
  doc.clientID = client;
  const text = doc.getText(TEXT);
  const keystrokes: Keystroke[] = [];
  let deleted = 0;
  doc.on("update", (update: Uint8Array) => {
    keystrokes.push({ update, clock: Y.getState(doc.store, client), deleted });
  });
  for (const edit of edits) {
    deleted += edit.deleted;
    doc.transact(() => {
      if (edit.deleted > 0) text.delete(edit.position, edit.deleted);
      if (edit.inserted !== "") text.insert(edit.position, edit.inserted);
    });
  }
  doc.destroy();
  return { title, client, keystrokes };
}

function read<Result>(updates: Iterable<Uint8Array>, look: (doc: Y.Doc) => Result): Result {
  const doc = new Y.Doc();
  try {
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, update);
    });
    return look(doc);
  } finally {
    doc.destroy();
  }
}

/** The text of a document that holds those updates. */
export function textOf(updates: Iterable<Uint8Array>): string {
  return read(updates, (doc) => doc.getText(TEXT).toString());
}

/** The first `count` keystrokes' updates. */
export function updatesOf({ keystrokes }: EditingSession, count: number): Uint8Array[] {
  if (count > keystrokes.length) {
    throw new Error(
      `[bench] the session has ${keystrokes.length} keystrokes and ${count} are needed: take a longer trace or a smaller --scale`,
    );
  }
  return keystrokes.slice(0, count).map(({ update }) => update);
}

/** How many bytes the smallest encoding takes of a document that holds those updates, its garbage collected. */
export function smallestEncoding(updates: Iterable<Uint8Array>): number {
  return read(updates, (doc) => Y.encodeStateAsUpdate(doc).length);
}
