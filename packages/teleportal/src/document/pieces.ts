import { ByteWriter } from "@teleportal/sync-core";
import type { ClientRanges } from "@teleportal/sync-core";
import * as Y from "yjs";
import type { DecodedUpdate, OperationRange } from "./decoded-update.ts";
import { writeDeletions } from "./deletions.ts";

/** A struct of Yjs: a run of operations by one client. */
export type Struct = Y.Item | Y.GC;

/** An update that is a part of a document, and what is in it. */
export interface Piece extends DecodedUpdate {
  readonly update: Uint8Array;
}

/** What one client has in a piece: structs that follow each other without a hole. */
interface Run {
  readonly start: number;
  end: number;
  readonly structs: Uint8Array[];
}

const NOTHING: ClientRanges = new Map();

/**
 * Writes structs as updates of about `size` bytes, in the order they are given, and what is deleted with the last. A
 * struct is never cut. In Yjs's V1 format, as in `writeStructs` of Yjs (src/utils/encoding.js).
 *
 * Given in an order in which each comes after those it refers to (`inCausalOrder`), every piece can be applied when the
 * ones before it are, and nothing waits in a receiver.
 */
export function* cutIntoPieces(
  structs: Iterable<Struct>,
  deletions: ClientRanges,
  size: number,
): Generator<Piece, void> {
  let runs = new Map<number, Run>();
  let bytes = 0;
  for (const struct of structs) {
    const { client, clock } = struct.id;
    let run = runs.get(client);
    if (bytes >= size || (run !== undefined && run.end !== clock)) {
      yield toPiece(runs, NOTHING);
      runs = new Map();
      bytes = 0;
      run = undefined;
    }
    if (run === undefined) {
      run = { start: clock, end: clock, structs: [] };
      runs.set(client, run);
    }
    const encoder = new Y.UpdateEncoderV1();
    struct.write(encoder, 0);
    const written = encoder.toUint8Array();
    run.structs.push(written);
    run.end = clock + struct.length;
    bytes += written.length;
  }
  if (runs.size > 0 || deletions.size > 0) yield toPiece(runs, deletions);
}

function toPiece(runs: ReadonlyMap<number, Run>, deletions: ClientRanges): Piece {
  const writer = new ByteWriter();
  const structs: OperationRange[] = [];
  writer.varUint(runs.size);
  // The highest client first: merging and diffing take it for granted.
  for (const [client, run] of [...runs].sort(([a], [b]) => b - a)) {
    structs.push([client, run.start, run.end]);
    writer.varUint(run.structs.length);
    writer.varUint(client);
    writer.varUint(run.start);
    for (const struct of run.structs) writer.put(struct);
  }
  writeDeletions(writer, deletions);
  // Alone in its buffer, as everything handed to Yjs.
  return { update: writer.finish(), structs, deletions: [...rangesOf(deletions)] };
}

function* rangesOf(clients: ClientRanges): Generator<OperationRange> {
  for (const [client, ranges] of clients) {
    for (let i = 0; i < ranges.length; i += 2) {
      const start = ranges[i] ?? 0;
      yield [client, start, ranges[i + 1] ?? start];
    }
  }
}
