import { ByteReader, TruncatedError } from "@teleportal/sync-core";
import type { DecodedUpdate, OperationRange } from "./decoded-update.ts";

/** Structs of one client that follow each other without a hole, as they stand in an update. */
export interface Run {
  readonly client: number;
  readonly start: number;
  readonly end: number;
  readonly count: number;
  /** Where in the update they begin and end, in bytes. */
  readonly from: number;
  readonly to: number;
}

/** What an update consists of, where that can be told without Yjs. */
export interface UpdateBody {
  readonly runs: readonly Run[];
  readonly deletions: readonly OperationRange[];
}

/** An update that was read byte by byte. */
export interface TextUpdate extends DecodedUpdate {
  readonly body: UpdateBody;
}

/** Yjs's number for text, as typing makes it. */
const STRING = 4;

/** Of a struct's first byte: what of it is its content's number, and whether it names its neighbours and its key. */
const CONTENT = 0x1f;
const LEFT = 0x80;
const RIGHT = 0x40;
const KEY = 0x20;

const NONE: readonly never[] = [];

/** What Yjs decodes with. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads an update of text by one client, as a keystroke is, or of deletions alone, at a tenth of what Yjs's decoder takes.
 * `undefined` for all others, the malformed among them: those are for Yjs to judge. See `readClientsStructRefs` and
 * `readDeleteSet` of Yjs (src/utils/encoding.js, src/utils/DeleteSet.js) for the V1 format.
 */
export function decodeTextUpdate(update: Uint8Array): TextUpdate | undefined {
  try {
    return read(update);
  } catch (error) {
    if (error instanceof TruncatedError) return undefined;
    throw error;
  }
}

function read(update: Uint8Array): TextUpdate | undefined {
  const reader = new ByteReader(update);
  const clients = reader.varUint();
  if (clients > 1) return undefined;
  const structs: OperationRange[] = [];
  let runs: readonly Run[] = NONE;
  if (clients === 1) {
    const count = reader.varUint();
    const client = reader.varUint();
    const start = reader.varUint();
    const from = reader.position;
    let clock = start;
    for (let i = 0; i < count; i++) {
      const length = readText(reader, update, client, clock);
      if (!length || !Number.isSafeInteger(clock + length)) return undefined;
      structs.push([client, clock, clock + length]);
      clock += length;
    }
    runs = [{ client, start, end: clock, count, from, to: reader.position }];
  }
  const deletions = readDeletions(reader);
  return deletions && { structs, deletions, body: { runs, deletions } };
}

/** Reads on to the end of a struct. Returns its length; `undefined` if it is no text, or not what Yjs takes for granted. */
function readText(
  reader: ByteReader,
  update: Uint8Array,
  client: number,
  clock: number,
): number | undefined {
  const info = reader.uint8();
  if ((info & CONTENT) !== STRING) return undefined;
  if ((info & LEFT) !== 0 && !readsEarlier(reader, client, clock)) return undefined;
  if ((info & RIGHT) !== 0 && !readsEarlier(reader, client, clock)) return undefined;
  if ((info & (LEFT | RIGHT)) === 0) {
    // Its parent: a type by its name, or the operation that made it.
    if (reader.varUint() === 1) {
      if (readString(reader, update) === undefined) return undefined;
    } else if (!readsEarlier(reader, client, clock)) {
      return undefined;
    }
    if ((info & KEY) !== 0 && readString(reader, update) === undefined) return undefined;
  }
  return readString(reader, update);
}

/** Reads an id; whether it is another client's, or one before that clock. */
function readsEarlier(reader: ByteReader, client: number, clock: number): boolean {
  const of = reader.varUint();
  return reader.varUint() < clock || of !== client;
}

/** Reads a string. Returns how many UTF-16 code units it has; `undefined` if it is no UTF-8. */
function readString(reader: ByteReader, update: Uint8Array): number | undefined {
  const length = reader.varUint();
  const from = reader.position;
  reader.skip(length);
  for (let i = from; i < reader.position; i++) {
    if ((update[i] ?? 0) > 0x7f) return lengthOf(update.subarray(from, reader.position));
  }
  return length;
}

function lengthOf(text: Uint8Array): number | undefined {
  try {
    return utf8.decode(text).length;
  } catch {
    return undefined;
  }
}

function readDeletions(reader: ByteReader): readonly OperationRange[] | undefined {
  const clients = reader.varUint();
  if (clients === 0) return NONE;
  const deletions: OperationRange[] = [];
  for (let i = 0; i < clients; i++) {
    const client = reader.varUint();
    const count = reader.varUint();
    for (let j = 0; j < count; j++) {
      const clock = reader.varUint();
      const length = reader.varUint();
      if (length === 0 || !Number.isSafeInteger(clock + length)) return undefined;
      deletions.push([client, clock, clock + length]);
    }
  }
  return deletions;
}
