import { ByteReader, TruncatedError } from "@teleportal/sync-core";
import type { DecodedUpdate, OperationRange } from "./decoded-update.ts";

/** Yjs's number for text, as typing makes it. */
const STRING = 4;

/** Of a struct's first byte: what of it is its content's number, and whether it names its neighbours and a key. */
const CONTENT = 0x1f;
const LEFT = 0x80;
const RIGHT = 0x40;
const KEY = 0x20;

const NONE: readonly never[] = [];

/** What Yjs decodes with. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads updates of nothing but text and deletions, as typing makes them: struct by struct, and then the deletions. What it
 * calls foreign, the malformed among it, is for Yjs to judge. See `readClientsStructRefs` and `readDeleteSet` of Yjs
 * (src/utils/encoding.js, src/utils/DeleteSet.js) for the V1 format.
 */
export class TextUpdateReader {
  /** Whose the struct is, its first clock, and how many there are. */
  client = 0;
  clock = 0;
  length = 0;
  /** The operations that it was typed between; -1 for the beginning, or the end. */
  leftClient = -1;
  leftClock = -1;
  rightClient = -1;
  rightClock = -1;
  /** Where in the update it begins, its text's length stands, its text begins, and it ends. */
  from = 0;
  lengthFrom = 0;
  textFrom = 0;
  to = 0;
  readonly #update: Uint8Array;
  readonly #reader: ByteReader;
  #clients: number;
  #structs = 0;

  /** @throws TruncatedError, as `next` and `deletions` do */
  constructor(update: Uint8Array) {
    this.#update = update;
    this.#reader = new ByteReader(update);
    this.#clients = this.#reader.varUint();
  }

  /** Reads the next struct. */
  next(): "text" | "foreign" | "end" {
    this.clock += this.length;
    this.length = 0;
    while (this.#structs === 0) {
      if (this.#clients === 0) return "end";
      this.#clients -= 1;
      this.#structs = this.#reader.varUint();
      this.client = this.#reader.varUint();
      this.clock = this.#reader.varUint();
    }
    this.#structs -= 1;
    return this.#readStruct() ? "text" : "foreign";
  }

  /** What is deleted, once the structs are read; `undefined` if Yjs could not apply it. */
  deletions(): readonly OperationRange[] | undefined {
    const reader = this.#reader;
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

  #readStruct(): boolean {
    const reader = this.#reader;
    this.from = reader.position;
    const info = reader.uint8();
    if ((info & CONTENT) !== STRING) return false;
    this.leftClient = this.leftClock = this.rightClient = this.rightClock = -1;
    if ((info & LEFT) !== 0) {
      this.leftClient = reader.varUint();
      this.leftClock = reader.varUint();
      if (!this.#isEarlier(this.leftClient, this.leftClock)) return false;
    }
    if ((info & RIGHT) !== 0) {
      this.rightClient = reader.varUint();
      this.rightClock = reader.varUint();
      if (!this.#isEarlier(this.rightClient, this.rightClock)) return false;
    }
    if ((info & (LEFT | RIGHT)) === 0 && !this.#readParent(info)) return false;
    this.lengthFrom = reader.position;
    this.length = this.#readString() ?? 0;
    this.to = reader.position;
    return this.length > 0 && Number.isSafeInteger(this.clock + this.length);
  }

  /** A type by its name, or the operation that made it. No text stands under a key of that. */
  #readParent(info: number): boolean {
    if ((info & KEY) !== 0) return false;
    const reader = this.#reader;
    if (reader.varUint() === 1) return this.#readString() !== undefined;
    return this.#isEarlier(reader.varUint(), reader.varUint());
  }

  /** Whether it is another client's, or comes before the struct: Yjs takes it for granted. */
  #isEarlier(client: number, clock: number): boolean {
    return clock < this.clock || client !== this.client;
  }

  /** Returns how many UTF-16 code units it has; `undefined` if it is no UTF-8. */
  #readString(): number | undefined {
    const length = this.#reader.varUint();
    this.textFrom = this.#reader.position;
    this.#reader.skip(length);
    const to = this.#reader.position;
    for (let i = this.textFrom; i < to; i++) {
      if ((this.#update[i] ?? 0) > 0x7f) return lengthOf(this.#update.subarray(this.textFrom, to));
    }
    return length;
  }
}

function lengthOf(text: Uint8Array): number | undefined {
  try {
    return utf8.decode(text).length;
  } catch {
    return undefined;
  }
}

/** Reads an update of text and deletions at a tenth of what Yjs's decoder takes; `undefined` for others: see `TextUpdateReader`. */
export function decodeTextUpdate(update: Uint8Array): DecodedUpdate | undefined {
  return unlessTruncated(() => {
    const reader = new TextUpdateReader(update);
    let structs: OperationRange[] | undefined;
    for (;;) {
      const read = reader.next();
      if (read === "foreign") return undefined;
      if (read === "end") break;
      const range: OperationRange = [reader.client, reader.clock, reader.clock + reader.length];
      // Made with its first, mostly the only one: an array that grows from nothing has room for seventeen.
      if (structs === undefined) structs = [range];
      else structs.push(range);
    }
    const deletions = reader.deletions();
    return deletions && { structs: structs ?? NONE, deletions };
  });
}

/** What `read` returns; `undefined` if bytes are missing. */
export function unlessTruncated<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TruncatedError) return undefined;
    throw error;
  }
}
