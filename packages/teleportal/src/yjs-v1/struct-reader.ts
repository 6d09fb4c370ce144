/**
 * Reads the structs of a Yjs update in the V1 format, one after the other, without building any. See `readClientsStructRefs` and
 * `readDeleteSet` of Yjs 13 (src/utils/encoding.js, src/utils/DeleteSet.js), `Item.write` (src/structs/Item.js) and `readAny` of
 * lib0 (decoding.js):
 *
 *     update    count v | section* | deletions
 *     section   structs v | client v | clock v | struct*             (a client's structs, without a hole)
 *     struct    info 1 | [left id] | [right id] | [parent] | [key] | content
 *     deletions count v | (client v | count v | (clock v | length v)*)*
 *
 * `info` says which of the optional fields are there and what the content is. A struct says nothing about the one before it, so
 * its bytes mean the same in any other section of the same client that has it at the same clock.
 */
import { ByteReader, TruncatedError } from "@teleportal/sync-core";
import type { OperationRange } from "./id-ranges.ts";
import { checkSubdocument, readAny } from "./any-value.ts";
import { checkJson, isUsualJson } from "./json.ts";
import { MalformedUpdateError } from "./malformed-update-error.ts";
import type { Run } from "./run.ts";
import { decodeText, unitsOf } from "./utf8.ts";

/** What a struct holds: Yjs's numbers. `gc` and `skip` are structs of their own, the rest is content of an item. */
export const Content = {
  gc: 0,
  deleted: 1,
  json: 2,
  binary: 3,
  string: 4,
  embed: 5,
  format: 6,
  type: 7,
  any: 8,
  doc: 9,
  skip: 10,
} as const;

/** Of a struct's first byte: what of it is its content's number, and whether it names its neighbours and a key. */
export const INFO_CONTENT = 0x1f;
export const INFO_LEFT = 0x80;
export const INFO_RIGHT = 0x40;
export const INFO_KEY = 0x20;

/** Yjs's numbers of shared types go up to here; an element and a hook have a name. Later ones are of other libraries. */
const LAST_TYPE = 6;
const TYPE_XML_ELEMENT = 3;
const TYPE_XML_HOOK = 5;

const NONE: never[] = [];

/**
 * A cursor: its fields are about the struct that `next` has read. What is read as `foreign` is checked in full, so that nothing
 * passes which a client of Yjs 13 cannot decode and apply; `own` bytes were checked before.
 */
export class StructReader {
  /** Whose the struct is, its first clock, and how many operations it is. */
  client = 0;
  clock = 0;
  length = 0;
  info = 0;
  content = 0;
  /** The operations that it was inserted between; -1 for none. */
  leftClient = -1;
  leftClock = -1;
  rightClient = -1;
  rightClock = -1;
  /** The operation that made its parent, if the struct names it; else -1. */
  parentClient = -1;
  parentClock = -1;
  /** Where in the bytes it begins, its content begins, the first of its elements begins (text, JSON, any), and it ends. */
  from = 0;
  contentFrom = 0;
  elementsFrom = 0;
  to = 0;
  /** False once a client's section was not below the one before it: Yjs writes the highest client first. */
  ordered = true;
  /** Whose the sections are, if there are several. */
  clients: number[] = NONE;
  readonly bytes: Uint8Array;
  /** Where `positionOf` has been last, in the struct that is read now. */
  #foundOffset = 0;
  #foundPosition = -1;
  readonly #reader: ByteReader;
  readonly #foreign: boolean;
  #sections = 0;
  #structs = 0;

  private constructor(bytes: Uint8Array, foreign: boolean, run: Run | undefined) {
    this.bytes = bytes;
    this.#reader = new ByteReader(bytes);
    this.#foreign = foreign;
    if (run === undefined) return;
    this.#reader.seek(run.from);
    this.#structs = run.count;
    this.client = run.client;
    this.clock = run.start;
  }

  /** A foreign update. @throws TruncatedError, as `next` and `deletions` do; these also throw MalformedUpdateError */
  static ofUpdate(update: Uint8Array): StructReader {
    const reader = new StructReader(update, true, undefined);
    reader.nextUpdate(0);
    return reader;
  }

  /** Updates that passed before and stand in one buffer; `nextUpdate` goes from one to the next. */
  static ofUpdates(bytes: Uint8Array): StructReader {
    return new StructReader(bytes, false, undefined);
  }

  static ofRun(run: Run): StructReader {
    return new StructReader(run.bytes, false, run);
  }

  /** Goes to the update that begins there. */
  nextUpdate(from: number): void {
    this.#reader.seek(from);
    this.#sections = this.#reader.varUint();
    if (this.#sections > 1) this.clients = [];
    this.client = Number.POSITIVE_INFINITY;
    this.length = 0;
  }

  /** Reads the next struct; false when there is none. */
  next(): boolean {
    this.clock += this.length;
    this.length = 0;
    while (this.#structs === 0) {
      if (this.#sections === 0) return false;
      this.#beginSection();
    }
    this.#structs -= 1;
    this.#readStruct();
    return true;
  }

  /** What is deleted, once the structs are read: the update ends there. */
  deletions(): readonly OperationRange[] {
    const reader = this.#reader;
    const clients = reader.varUint();
    let deletions: OperationRange[] | undefined;
    for (let i = 0; i < clients; i++) {
      const client = reader.varUint();
      const count = reader.varUint();
      for (let j = 0; j < count; j++) {
        const clock = reader.varUint();
        const length = reader.varUint();
        if (length === 0 || !Number.isSafeInteger(clock + length)) {
          throw new MalformedUpdateError("a deletion of nothing");
        }
        const range = { client, start: clock, end: clock + length };
        // Made with its first, mostly the only one: an array that grows from nothing has room for seventeen.
        if (deletions === undefined) deletions = [range];
        else deletions.push(range);
      }
    }
    if (this.#foreign && reader.remaining > 0) {
      throw new MalformedUpdateError(
        "bytes behind the end of the update: is it in Yjs's V2 format, or cut wrongly?",
      );
    }
    return deletions ?? NONE;
  }

  /** Where the element stands that begins `offset` operations into the struct; -1 inside a character of two UTF-16 units. */
  positionOf(offset: number): number {
    if (offset < this.#foundOffset || this.#foundPosition < this.elementsFrom) {
      this.#foundOffset = 0;
      this.#foundPosition = this.elementsFrom;
    }
    const isText = this.content === Content.string;
    const position = isText ? this.#positionInText(offset) : this.#positionInList(offset);
    if (position === -1) return -1;
    // Those who cut a struct into many parts ask for one after the other.
    this.#foundOffset = offset;
    this.#foundPosition = position;
    return position;
  }

  #positionInList(offset: number): number {
    const reader = new ByteReader(this.bytes);
    reader.seek(this.#foundPosition);
    for (let i = this.#foundOffset; i < offset; i++) {
      if (this.content === Content.json) reader.skip(reader.varUint());
      else readAny(reader, undefined);
    }
    return reader.position;
  }

  #positionInText(offset: number): number {
    let position = this.#foundPosition;
    let units = this.#foundOffset;
    while (units < offset) {
      const byte = this.bytes[position] ?? 0;
      // The first byte of a character tells how many it has; only those of four are two UTF-16 code units.
      if (byte < 0x80) position += 1;
      else if (byte < 0xe0) position += 2;
      else if (byte < 0xf0) position += 3;
      else {
        position += 4;
        units += 1;
      }
      units += 1;
    }
    return units === offset ? position : -1;
  }

  #beginSection(): void {
    const reader = this.#reader;
    this.#sections -= 1;
    this.#structs = reader.varUint();
    const client = reader.varUint();
    if (client >= this.client) this.ordered = false;
    if (this.clients !== NONE) this.clients.push(client);
    this.client = client;
    this.clock = reader.varUint();
  }

  #readStruct(): void {
    const reader = this.#reader;
    this.from = reader.position;
    const info = reader.uint8();
    this.info = info;
    this.content = info & INFO_CONTENT;
    this.leftClient = this.leftClock = this.rightClient = this.rightClock = -1;
    this.parentClient = this.parentClock = -1;
    if (this.content !== Content.gc && this.content !== Content.skip) this.#readPlace(info);
    this.contentFrom = this.elementsFrom = reader.position;
    this.#foundPosition = -1;
    this.length = this.#readContent();
    this.to = reader.position;
    if (this.length === 0 || !Number.isSafeInteger(this.clock + this.length)) {
      throw new MalformedUpdateError("a struct without operations");
    }
  }

  #readPlace(info: number): void {
    const reader = this.#reader;
    if ((info & INFO_LEFT) !== 0) {
      this.leftClient = reader.varUint();
      this.leftClock = reader.varUint();
      this.#checkEarlier(this.leftClient, this.leftClock);
    }
    if ((info & INFO_RIGHT) !== 0) {
      this.rightClient = reader.varUint();
      this.rightClock = reader.varUint();
      this.#checkEarlier(this.rightClient, this.rightClock);
    }
    if ((info & (INFO_LEFT | INFO_RIGHT)) !== 0) return;
    if (reader.varUint() === 1) {
      this.#readText();
    } else {
      this.parentClient = reader.varUint();
      this.parentClock = reader.varUint();
      this.#checkEarlier(this.parentClient, this.parentClock);
    }
    if ((info & INFO_KEY) !== 0) this.#readText();
  }

  /** Yjs takes for granted that what a struct refers to by its own client comes before it. */
  #checkEarlier(client: number, clock: number): void {
    if (client === this.client && clock >= this.clock) {
      throw new MalformedUpdateError("a struct that refers to itself or a later one");
    }
  }

  /** Returns how many operations it is. */
  #readContent(): number {
    const reader = this.#reader;
    switch (this.content) {
      case Content.string:
        return this.#readText();
      case Content.gc:
      case Content.deleted:
      case Content.skip:
        return reader.varUint();
      case Content.format:
        this.#readText();
        this.#readJson();
        return 1;
      case Content.embed:
        this.#readJson();
        return 1;
      case Content.type:
        this.#readType();
        return 1;
      case Content.binary:
        reader.skip(reader.varUint());
        return 1;
      case Content.any: {
        const count = reader.varUint();
        this.elementsFrom = reader.position;
        for (let i = 0; i < count; i++) this.#readAny();
        return count;
      }
      case Content.json: {
        const count = reader.varUint();
        this.elementsFrom = reader.position;
        for (let i = 0; i < count; i++) this.#readJson("undefined");
        return count;
      }
      case Content.doc: {
        this.#readText();
        const from = reader.position;
        this.#readAny();
        if (this.#foreign) checkSubdocument(this.bytes, from);
        return 1;
      }
      default:
        throw new MalformedUpdateError(
          `content of kind ${this.content}, which Yjs 13 cannot read: another library has written it`,
        );
    }
  }

  #readType(): void {
    const type = this.#reader.varUint();
    if (type > LAST_TYPE) {
      throw new MalformedUpdateError(
        `a shared type of kind ${type}, which Yjs 13 cannot read: another library has written it`,
      );
    }
    if (type === TYPE_XML_ELEMENT || type === TYPE_XML_HOOK) this.#readText();
  }

  #readAny(): void {
    readAny(this.#reader, this.#foreign ? this.bytes : undefined);
  }

  /** `besides`: what may stand there that is no JSON. */
  #readJson(besides?: string): void {
    const reader = this.#reader;
    const length = reader.varUint();
    const from = reader.position;
    reader.skip(length);
    if (!this.#foreign || isUsualJson(this.bytes, from, from + length)) return;
    const text = decodeText(this.bytes, from, from + length);
    if (text !== besides) checkJson(text);
  }

  /** Returns how many UTF-16 code units it has. */
  #readText(): number {
    const reader = this.#reader;
    const length = reader.varUint();
    const from = reader.position;
    this.elementsFrom = from;
    reader.skip(length);
    return unitsOf(this.bytes, from, from + length);
  }
}

/** What `read` returns. @throws MalformedUpdateError, also where bytes are missing */
export function unlessTruncated<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TruncatedError) {
      throw new MalformedUpdateError("bytes are missing", { cause });
    }
    throw cause;
  }
}
