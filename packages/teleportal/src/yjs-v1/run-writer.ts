import { ByteWriter } from "@teleportal/sync-core";
import type { Run } from "./run.ts";
import {
  Content,
  INFO_CONTENT,
  INFO_KEY,
  INFO_LEFT,
  INFO_RIGHT,
  StructReader,
} from "./struct-reader.ts";

/** What becomes of a struct: `kept`, it stays as it is; `deleted`, its content is dropped; `collected`, it becomes a GC struct. */
export type Fate = "kept" | "deleted" | "collected";

/** U+FFFD: what Yjs makes of each half of a character of two code units that is cut (`ContentString.splice`). */
const HALF_CHARACTER = new Uint8Array([0xef, 0xbf, 0xbd]);

/**
 * Writes structs of one client that follow each other without a hole.
 *
 * Structs that were made in one go become one: Yjs itself writes such a struct as its parts once it is split (`splitItem`), so both
 * mean the same, and a letter that was typed takes a byte instead of twenty.
 */
export class RunWriter {
  readonly #client: number;
  readonly #start: number;
  #end: number;
  #count = 0;
  /** What is written; then the elements of the last struct, which may go on. */
  readonly #bytes = new ByteWriter();
  #elements = new ByteWriter();
  #elementCount = 0;
  /** The last struct: its content, its right neighbour, where it stands and its first clock. */
  #content: number = Content.skip;
  #rightClient = -1;
  #rightClock = -1;
  #lastFrom = 0;
  #lastClock: number;

  constructor(client: number, start: number) {
    this.#client = client;
    this.#start = this.#end = this.#lastClock = start;
  }

  /** Goes on behind the end of a run, which stays as it is. */
  static behind(run: Run): RunWriter {
    const writer = new RunWriter(run.client, run.start);
    writer.#bytes.putPart(run.bytes, run.from, run.lastFrom);
    writer.#count = run.count - 1;
    writer.#end = run.lastClock;
    writer.addRun({ ...run, start: run.lastClock, count: 1, from: run.lastFrom });
    return writer;
  }

  get end(): number {
    return this.#end;
  }

  /** In bytes. */
  get size(): number {
    return this.#bytes.length + this.#elements.length;
  }

  addRun(run: Run): void {
    const reader = StructReader.ofRun(run);
    while (reader.next()) this.add(reader, 0, reader.length, "kept");
  }

  /**
   * Adds the operations of the struct that `reader` has read last, from number `first` up to number `last`, not included. They
   * begin at `end`.
   */
  add(reader: StructReader, first: number, last: number, fate: Fate): void {
    const content = contentOf(reader, fate);
    if (!this.#isContinuedBy(reader, first, content)) {
      this.#endStruct();
      this.#beginStruct(reader, first, content);
    }
    this.#elementCount += last - first;
    this.#end += last - first;
    if (content === Content.gc || content === Content.deleted) return;
    if (content === Content.string) this.#putText(reader, first, last);
    else if (isList(content)) this.#putElements(reader, first, last);
    else this.#elements.putPart(reader.bytes, reader.contentFrom, reader.to);
  }

  finish(): Run {
    this.#endStruct();
    this.#elements.discard();
    const bytes = this.#bytes.finish();
    return {
      client: this.#client,
      start: this.#start,
      end: this.#end,
      count: this.#count,
      bytes,
      from: 0,
      to: bytes.length,
      lastFrom: this.#lastFrom,
      lastClock: this.#lastClock,
    };
  }

  /** Whether it was made right behind the last, before the same neighbour, and Yjs could keep both as one. */
  #isContinuedBy(reader: StructReader, first: number, content: number): boolean {
    if (content !== this.#content) return false;
    if (content === Content.gc) return true;
    if (content !== Content.string && content !== Content.deleted && !isList(content)) return false;
    if (reader.rightClient !== this.#rightClient || reader.rightClock !== this.#rightClock) {
      return false;
    }
    if (first > 0) return true;
    return reader.leftClient === this.#client && reader.leftClock === this.#end - 1;
  }

  #beginStruct(reader: StructReader, first: number, content: number): void {
    const bytes = this.#bytes;
    this.#lastFrom = bytes.length;
    this.#lastClock = this.#end;
    this.#count += 1;
    this.#content = content;
    this.#rightClient = reader.rightClient;
    this.#rightClock = reader.rightClock;
    if (content === Content.gc) {
      bytes.uint8(Content.gc);
    } else if (first === 0) {
      bytes.uint8((reader.info & ~INFO_CONTENT) | content);
      bytes.putPart(reader.bytes, reader.from + 1, reader.contentFrom);
    } else {
      // Its left neighbour is what was cut off (`Item.write` with an offset).
      bytes.uint8((reader.info & (INFO_RIGHT | INFO_KEY)) | INFO_LEFT | content);
      bytes.varUint(this.#client);
      bytes.varUint(this.#end - 1);
      if (reader.rightClient === -1) return;
      bytes.varUint(reader.rightClient);
      bytes.varUint(reader.rightClock);
    }
  }

  #endStruct(): void {
    const { length } = this.#elements;
    switch (this.#content) {
      case Content.gc:
      case Content.deleted:
        this.#bytes.varUint(this.#elementCount);
        break;
      case Content.string:
        this.#bytes.varUint(length);
        break;
      case Content.any:
      case Content.json:
        this.#bytes.varUint(this.#elementCount);
    }
    this.#content = Content.skip;
    this.#elementCount = 0;
    if (length === 0) return;
    this.#bytes.put(this.#elements.finish());
    this.#elements = new ByteWriter();
  }

  #putText(reader: StructReader, first: number, last: number): void {
    let from = first === 0 ? reader.elementsFrom : reader.positionOf(first);
    let to = last === reader.length ? reader.to : reader.positionOf(last);
    const startsInside = from === -1;
    const endsInside = to === -1;
    if (startsInside) {
      this.#elements.put(HALF_CHARACTER);
      from = reader.positionOf(first + 1);
    }
    if (endsInside) to = reader.positionOf(last - 1);
    if (to > from) this.#elements.putPart(reader.bytes, from, to);
    if (endsInside) this.#elements.put(HALF_CHARACTER);
  }

  #putElements(reader: StructReader, first: number, last: number): void {
    const from = first === 0 ? reader.elementsFrom : reader.positionOf(first);
    const to = last === reader.length ? reader.to : reader.positionOf(last);
    this.#elements.putPart(reader.bytes, from, to);
  }
}

function isList(content: number): boolean {
  return content === Content.any || content === Content.json;
}

function contentOf(reader: StructReader, fate: Fate): number {
  if (fate === "collected" || reader.content === Content.gc) return Content.gc;
  return fate === "deleted" ? Content.deleted : reader.content;
}
