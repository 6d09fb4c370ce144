/*
 * Yjs updates (V1) made by hand, byte by byte: what no Yjs would make, and every client of a server may send. See
 * `writeClientsStructs` and `Item.write` of Yjs (src/utils/encoding.js, src/structs/Item.js).
 */
import { ByteWriter } from "@teleportal/sync-core";

/** An operation: whose, and which in its order. */
export type OperationId = readonly [client: number, clock: number];

/** One client's operations, one after the other from `clock` on. */
export interface Section {
  readonly client: number;
  readonly clock: number;
  readonly structs: readonly Uint8Array[];
}

/** Where a struct stands: first in a root type, there under a key, or behind an operation. */
export type Place =
  | { readonly root: string; readonly key?: string }
  | { readonly behind: OperationId };

const ORIGIN = 0x80;
const PARENT_SUB = 0x20;

/** The numbers of kinds of content. */
export const ContentRef = {
  json: 2,
  string: 4,
  embed: 5,
  format: 6,
  type: 7,
  any: 8,
  /** Of yrs alone. */
  move: 11,
} as const;

/** The update that consists of these sections, in this order, and deletes nothing. */
export function updateBytes(sections: readonly Section[]): Uint8Array {
  return written((writer) => {
    writer.varUint(sections.length);
    for (const { client, clock, structs } of sections) {
      writer.varUint(structs.length);
      writer.varUint(client);
      writer.varUint(clock);
      for (const struct of structs) writer.put(struct);
    }
    writer.varUint(0);
  });
}

export function structBytes(ref: number, place: Place, content: Uint8Array): Uint8Array {
  return written((writer) => {
    if ("behind" in place) {
      writer.uint8(ref | ORIGIN);
      for (const number of place.behind) writer.varUint(number);
    } else {
      writer.uint8(ref | (place.key === undefined ? 0 : PARENT_SUB));
      writer.varUint(1);
      writer.varBytes(utf8(place.root));
      if (place.key !== undefined) writer.varBytes(utf8(place.key));
    }
    writer.put(content);
  });
}

/** Text as it is typed. */
export function typedBytes(text: string, place: Place): Uint8Array {
  return structBytes(ContentRef.string, place, stringBytes(text));
}

/** A string and its length. */
export function stringBytes(text: string): Uint8Array {
  return written((writer) => writer.varBytes(utf8(text)));
}

/** An array in an array in an array, so many levels deep, as JSON. */
export function nestedJson(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

/** The same as lib0's `writeAny` writes it. */
export function nestedAny(levels: number): Uint8Array {
  const [array, nothing] = [117, 126];
  return written((writer) => {
    for (let level = 0; level < levels; level++) {
      writer.uint8(array);
      writer.varUint(1);
    }
    writer.uint8(nothing);
  });
}

export function joinedBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return written((writer) => {
    for (const part of parts) writer.put(part);
  });
}

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return writer.finish();
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
