import { ConformanceError } from "./check.ts";
import { describeDifference, sameBytes } from "./compare-bytes.ts";

/** @throws ConformanceError unless `holds`. */
export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new ConformanceError(otherwise);
}

/** @throws ConformanceError unless both hold the same texts, however often and in whatever order. */
export function expectSameSet(actual: readonly string[], expected: readonly string[]): void {
  const missing = expected.filter((text) => !actual.includes(text));
  expect(missing.length === 0, `${list(missing)} did not arrive`);
  expectOnly(actual, expected);
}

/** @throws ConformanceError if there is a text that is not among those allowed. */
export function expectOnly(actual: readonly string[], allowed: readonly string[]): void {
  const foreign = actual.filter((text) => !allowed.includes(text));
  expect(foreign.length === 0, `${list(foreign)} arrived, and was not meant to`);
}

/** @throws ConformanceError unless both are the same, element by element. */
export function expectSameList(actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((text, index) => actual[index] !== text);
  expect(
    at === -1 && actual.length === expected.length,
    at === -1
      ? `${actual.length} messages arrived instead of ${expected.length}, the first too many being ${list(actual.slice(expected.length))}`
      : `message ${at} is ${list(actual.slice(at))} instead of ${list(expected.slice(at))}`,
  );
}

/** @throws ConformanceError unless the bytes are the same. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(sameBytes(actual, expected), describeDifference(actual, expected));
}

const SHOWN = 3;

function list(texts: readonly string[]): string {
  if (texts.length === 0) return "nothing";
  const shown = texts.slice(0, SHOWN).map((text) => JSON.stringify(text.slice(0, 60)));
  return texts.length > SHOWN
    ? `${shown.join(", ")} and ${texts.length - SHOWN} more`
    : shown.join(", ");
}
