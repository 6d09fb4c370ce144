import { MalformedUpdateError } from "./malformed-update-error.ts";

/**
 * How deep values may be nested. Yjs and lib0 read and write them recursively: some thousands of levels overflow the stack of
 * the process, or of the browser, that does so next.
 */
export const MAX_DEPTH = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DELETE = 0x7f;

/**
 * Whether the bytes are a value that a format mostly has: `true`, `null`, `{}`, or a string without escapes. Saves parsing most
 * of the JSON in rich text.
 */
export function isUsualJson(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (length === 2) return bytes[from] === 0x7b && bytes[from + 1] === 0x7d;
  if (length === 4 && bytes[from] !== QUOTE) {
    return isWord(bytes, from, "true") || isWord(bytes, from, "null");
  }
  if (length < 2 || bytes[from] !== QUOTE || bytes[to - 1] !== QUOTE) return false;
  for (let i = from + 1; i < to - 1; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < SPACE || byte >= DELETE || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

function isWord(bytes: Uint8Array, from: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word.charCodeAt(i)) return false;
  return true;
}

/** @throws MalformedUpdateError for text that is no JSON, or is nested more than {@link MAX_DEPTH} levels deep */
export function checkJson(text: string): void {
  if (text.length > 2 * MAX_DEPTH && depthOf(text) > MAX_DEPTH) {
    throw new MalformedUpdateError(`JSON nested more than ${MAX_DEPTH} levels deep`);
  }
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new MalformedUpdateError("not JSON", { cause });
  }
}

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case '"':
        for (i += 1; i < json.length && json[i] !== '"'; i++) if (json[i] === "\\") i += 1;
        break;
      case "[":
      case "{":
        depth += 1;
        deepest = Math.max(deepest, depth);
        break;
      case "]":
      case "}":
        depth -= 1;
    }
  }
  return deepest;
}
