/** Values in lib0's encoding (`readAny` of lib0, decoding.js), which are skipped, and checked if they are foreign. */
import { ByteReader } from "@teleportal/sync-core";
import { MAX_DEPTH } from "./json.ts";
import { MalformedUpdateError } from "./malformed-update-error.ts";
import { decodeText, unitsOf } from "./utf8.ts";

const ANY_UNDEFINED = 127;
const ANY_NULL = 126;
const ANY_INTEGER = 125;
const ANY_FLOAT_32 = 124;
const ANY_FLOAT_64 = 123;
const ANY_BIG_INT = 122;
const ANY_FALSE = 121;
const ANY_TRUE = 120;
const ANY_STRING = 119;
const ANY_OBJECT = 118;
const ANY_ARRAY = 117;
const ANY_BYTES = 116;

/** A value in lib0's encoding; its text and depth are checked if `checked` has the bytes. @throws MalformedUpdateError */
export function readAny(reader: ByteReader, checked: Uint8Array | undefined, depth = 0): void {
  if (depth > MAX_DEPTH) {
    throw new MalformedUpdateError(`a value nested more than ${MAX_DEPTH} levels deep`);
  }
  const type = reader.uint8();
  switch (type) {
    case ANY_STRING:
      readAnyText(reader, checked);
      return;
    case ANY_OBJECT:
      for (let left = reader.varUint(); left > 0; left--) {
        readKey(reader, checked);
        readAny(reader, checked, depth + 1);
      }
      return;
    case ANY_ARRAY:
      for (let left = reader.varUint(); left > 0; left--) readAny(reader, checked, depth + 1);
      return;
    default:
      skipScalar(reader, type);
  }
}

/** Options that would take the place of what a subdocument has: Yjs makes it by `new Doc({ guid, ...options })`. */
const RESERVED_OPTIONS = ["guid", "gcFilter"];

/** @throws MalformedUpdateError unless the value at `from`, which was read before, are options that Yjs can make a subdocument of */
export function checkSubdocument(bytes: Uint8Array, from: number): void {
  const reader = new ByteReader(bytes);
  reader.seek(from);
  if (reader.uint8() !== ANY_OBJECT)
    throw new MalformedUpdateError("a subdocument without options");
  for (let left = reader.varUint(); left > 0; left--) {
    const option = new TextDecoder().decode(reader.varBytes());
    if (RESERVED_OPTIONS.includes(option)) {
      throw new MalformedUpdateError(`a subdocument with the option ${option}`);
    }
    readAny(reader, undefined);
  }
}

/** A key that would make an object pretend to be something else: lib0 assigns it, and so sets the prototype. */
const PROTO = "__proto__";

function readKey(reader: ByteReader, checked: Uint8Array | undefined): void {
  const length = readAnyText(reader, checked);
  if (length !== PROTO.length || checked === undefined) return;
  if (decodeText(checked, reader.position - length, reader.position) === PROTO) {
    throw new MalformedUpdateError(`an object with the key ${PROTO}`);
  }
}

/** Returns how many bytes it has. */
function readAnyText(reader: ByteReader, checked: Uint8Array | undefined): number {
  const length = reader.varUint();
  const from = reader.position;
  reader.skip(length);
  if (checked !== undefined) unitsOf(checked, from, from + length);
  return length;
}

function skipScalar(reader: ByteReader, type: number): void {
  switch (type) {
    case ANY_UNDEFINED:
    case ANY_NULL:
    case ANY_TRUE:
    case ANY_FALSE:
      return;
    case ANY_INTEGER:
      skipInteger(reader);
      return;
    case ANY_FLOAT_32:
      reader.skip(4);
      return;
    case ANY_FLOAT_64:
    case ANY_BIG_INT:
      reader.skip(8);
      return;
    case ANY_BYTES:
      reader.skip(reader.varUint());
      return;
    default:
      throw new MalformedUpdateError(`a value of the unknown type ${type}`);
  }
}

/** lib0's signed integer: the first byte has a sign and 6 bits, the others 7. */
function skipInteger(reader: ByteReader): void {
  let byte = reader.uint8();
  let value = byte & 0x3f;
  for (let factor = 64; byte >= 0x80; factor *= 128) {
    byte = reader.uint8();
    value += (byte & 0x7f) * factor;
    if (!Number.isSafeInteger(value)) throw new MalformedUpdateError("an integer too large");
  }
}
