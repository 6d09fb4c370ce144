import { MalformedUpdateError } from "./malformed-update-error.ts";

/** Longer text is handed to the decoder without looking for ASCII first. */
const LONG_TEXT = 96;

/** What Yjs decodes with. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How many UTF-16 code units the text has. @throws MalformedUpdateError if the bytes are no UTF-8 */
export function unitsOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > LONG_TEXT) return decodeText(bytes, from, to).length;
  for (let i = from; i < to; i++) {
    if ((bytes[i] ?? 0) > 0x7f) return decodeText(bytes, from, to).length;
  }
  return to - from;
}

/** @throws MalformedUpdateError if the bytes are no UTF-8 */
export function decodeText(bytes: Uint8Array, from: number, to: number): string {
  try {
    return utf8.decode(bytes.subarray(from, to));
  } catch (cause) {
    throw new MalformedUpdateError("text that is no UTF-8", { cause });
  }
}
