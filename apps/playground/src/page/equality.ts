import type { SharedDocument } from "./shared-document.ts";

/** Between looks, in milliseconds: comparing reads both documents. */
const INTERVAL = 150;

/** Tells whether two documents hold the same, a moment after either has changed. */
export function watchEquality(
  [a, b]: readonly [SharedDocument, SharedDocument],
  tell: (equal: boolean) => void,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;

  function lookSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      tell(holdTheSame(a, b));
    }, INTERVAL);
  }

  a.doc.on("update", lookSoon);
  b.doc.on("update", lookSoon);
  lookSoon();
}

function holdTheSame(a: SharedDocument, b: SharedDocument): boolean {
  return a.text.toString() === b.text.toString() && a.richText.toString() === b.richText.toString();
}
