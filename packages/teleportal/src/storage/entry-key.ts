import { hexOf } from "./document-key.ts";

/*
 * The key of a stored update: <document key>:<stamp>-<writer>-<position>-<length>
 *
 *   stamp     14 hex digits, microseconds since 1970 when the writing was asked for; each larger than the writer's one
 *             before, whatever its clock does
 *   writer    24 hex digits, drawn for each storage object: two instances never choose the same key
 *   position  8 hex digits: which of the updates that were written together
 *   length    of the update in bytes, hex: tells a whole update from one whose writing was cut short
 *
 * Lower-case and free of what unstorage or a file system would rewrite, except the colon, which unstorage's fs drivers
 * turn into a folder: one per document.
 */
const ENTRY_KEY = /^[0-9a-f]{64}:[0-9a-f]{14}-[0-9a-f]{24}-[0-9a-f]{8}-([0-9a-f]+)$/;

/** Makes the part of an entry's key that follows the document's, for the next update of a writing, of so many bytes. */
type NextEntryName = (length: number) => string;

/**
 * The function that is returned is called when a writing is asked for: whatever is named by it later stands before what
 * is asked for after it.
 */
export function createEntryNames(): () => NextEntryName {
  const writer = hexOf(crypto.getRandomValues(new Uint8Array(12)));
  let last = 0;
  return () => {
    last = Math.max(last + 1, Date.now() * 1000);
    const stamp = last.toString(16).padStart(14, "0");
    let position = 0;
    return (length) =>
      `${stamp}-${writer}-${(position++).toString(16).padStart(8, "0")}-${length.toString(16)}`;
  };
}

/**
 * How many bytes the update under this key has; undefined if the key is none of ours (a file manager's `.DS_Store`). A
 * value of another length is an update whose writing is not finished, or never will be because its writer crashed: its
 * `append` has not resolved, so it is left out.
 */
export function entryLength(key: string): number | undefined {
  const length = ENTRY_KEY.exec(key)?.[1];
  return length === undefined ? undefined : Number.parseInt(length, 16);
}
