import { Buffer } from "node:buffer";

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

/** In what `actual` is not `expected`. */
export function describeDifference(actual: Uint8Array, expected: Uint8Array): string {
  if (actual.length !== expected.length) {
    return `${actual.length} bytes instead of ${expected.length}`;
  }
  const at = expected.findIndex((byte, index) => actual[index] !== byte);
  return at === -1
    ? `the same ${expected.length} bytes`
    : `byte ${at} of ${expected.length} is ${actual[at]} instead of ${expected[at]}`;
}
