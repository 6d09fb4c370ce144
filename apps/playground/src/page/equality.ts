import * as Y from "yjs";
import type { SharedDocument } from "./shared-document.ts";

/** Between looks, in milliseconds: comparing reads both documents. */
const INTERVAL = 150;

/**
 * Tells whether two documents hold the same, a moment after either has changed. They are different when they are so at two
 * looks in a row: a keystroke on its way makes no difference that is worth a word.
 */
export function watchEquality(
  [a, b]: readonly [SharedDocument, SharedDocument],
  tell: (equal: boolean) => void,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let differed = false;

  function look(): void {
    timer = undefined;
    const equal = holdTheSame(a, b);
    if (equal || differed) tell(equal);
    else lookSoon();
    differed = !equal;
  }

  function lookSoon(): void {
    timer ??= setTimeout(look, INTERVAL);
  }

  a.doc.on("update", lookSoon);
  b.doc.on("update", lookSoon);
  lookSoon();
}

function holdTheSame(a: SharedDocument, b: SharedDocument): boolean {
  return (
    compare(Y.encodeStateVector(a.doc), Y.encodeStateVector(b.doc)) &&
    // Deletions leave the state vector as it is.
    a.text.toString() === b.text.toString() &&
    a.richText.toString() === b.richText.toString()
  );
}

function compare(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
