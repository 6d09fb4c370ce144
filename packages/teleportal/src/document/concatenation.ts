import { ByteWriter } from "@teleportal/sync-core";
import type { OperationRange } from "./decoded-update.ts";
import { writeDeletions } from "./deletions.ts";
import { IdRanges } from "./id-ranges.ts";
import { TextUpdateReader, unlessTruncated } from "./text-update.ts";

/** An update, and per client from where to where its operations go. */
export interface Concatenation {
  readonly update: Uint8Array;
  readonly spans: readonly OperationRange[];
}

/**
 * Puts updates of text and deletions together, without a document. What was typed in one go becomes one struct: Yjs itself
 * writes such a struct as its letters once it is split, so both mean the same, and one takes a byte a letter instead of
 * twenty. (V1 format; see `splitItem` and `Item.write` of Yjs, src/structs/Item.js.)
 *
 * Returns `undefined` if there is anything else in them, or the operations of a client do not follow each other.
 */
export function concatenate(updates: readonly Uint8Array[]): Concatenation | undefined {
  const typists = new Map<number, Typing>();
  try {
    return unlessTruncated(() => join(updates, typists));
  } finally {
    for (const typing of typists.values()) typing.discard();
  }
}

function join(
  updates: readonly Uint8Array[],
  typists: Map<number, Typing>,
): Concatenation | undefined {
  const deletions = new IdRanges();
  for (const update of updates) {
    const reader = new TextUpdateReader(update);
    for (let read = reader.next(); read !== "end"; read = reader.next()) {
      if (read === "foreign") return undefined;
      let typing = typists.get(reader.client);
      if (typing === undefined) {
        typing = new Typing(reader.client, reader.clock);
        typists.set(reader.client, typing);
      }
      if (typing.end !== reader.clock) return undefined;
      typing.add(reader, update);
    }
    const deleted = reader.deletions();
    if (deleted === undefined) return undefined;
    for (const [client, start, end] of deleted) deletions.add(client, start, end);
  }
  const writer = new ByteWriter();
  const spans: OperationRange[] = [];
  writer.varUint(typists.size);
  // The highest client first: merging and diffing take it for granted.
  for (const [client, typing] of [...typists].sort(([a], [b]) => b - a)) {
    typing.write(writer);
    spans.push([client, typing.start, typing.end]);
  }
  writeDeletions(writer, deletions.clients);
  return { update: writer.finish(), spans };
}

/** Structs of one client, which follow each other without a hole. */
class Typing {
  readonly client: number;
  readonly start: number;
  end: number;
  #count = 0;
  /** What is written; then the text of the last struct, which may go on. */
  readonly #structs = new ByteWriter();
  #text = new ByteWriter();
  #rightClient = -1;
  #rightClock = -1;

  constructor(client: number, start: number) {
    this.client = client;
    this.start = this.end = start;
  }

  /** Adds the struct that was read last, which begins at `end`. */
  add(struct: TextUpdateReader, update: Uint8Array): void {
    if (!this.#isContinuedBy(struct)) {
      this.#endText();
      this.#structs.putPart(update, struct.from, struct.lengthFrom);
      this.#count += 1;
      this.#rightClient = struct.rightClient;
      this.#rightClock = struct.rightClock;
    }
    this.#text.putPart(update, struct.textFrom, struct.to);
    this.end += struct.length;
  }

  write(writer: ByteWriter): void {
    this.#endText();
    writer.varUint(this.#count);
    writer.varUint(this.client);
    writer.varUint(this.start);
    writer.put(this.#structs.finish());
  }

  discard(): void {
    this.#structs.discard();
    this.#text.discard();
  }

  /** Whether it was typed right behind the last, before the same neighbour. */
  #isContinuedBy(struct: TextUpdateReader): boolean {
    return (
      this.#count > 0 &&
      struct.leftClient === this.client &&
      struct.leftClock === this.end - 1 &&
      struct.rightClient === this.#rightClient &&
      struct.rightClock === this.#rightClock
    );
  }

  #endText(): void {
    if (this.#count === 0) return;
    this.#structs.varBytes(this.#text.finish());
    this.#text = new ByteWriter();
  }
}
