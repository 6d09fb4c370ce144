import { ByteReader, ByteWriter } from "@teleportal/sync-core";
import type { DecodedUpdate, OperationRange } from "./decoded-update.ts";
import { writeDeletions } from "./deletions.ts";
import { IdRanges } from "./id-ranges.ts";

/** Structs of one client that follow each other without a hole, as they stand in an update. */
interface Run {
  readonly client: number;
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** What an update consists of, where that can be told without reading every struct. */
export interface UpdateBody {
  readonly runs: readonly Run[];
  readonly deletions: readonly OperationRange[];
}

/** Yjs's number for text, as typing makes it. */
const STRING = 4;

/** Of a struct's first byte: what of it is its content's number, and whether it names its neighbours and its key. */
const CONTENT = 0x1f;
const LEFT = 0x80;
const RIGHT = 0x40;
const KEY = 0x20;

/**
 * Finds the structs in an update of text by one client, as a keystroke is, or of deletions alone; `undefined` for others, which
 * only Yjs can take apart. In Yjs's V1 format a struct is written in the same way whatever stands around it, so runs can be
 * put together byte by byte.
 */
export function bodyOf(
  update: Uint8Array,
  { structs, deletions }: DecodedUpdate,
): UpdateBody | undefined {
  const reader = new ByteReader(update);
  const clients = reader.varUint();
  if (clients === 0) return { runs: [], deletions };
  if (clients !== 1) return undefined;
  const count = reader.varUint();
  const client = reader.varUint();
  const start = reader.varUint();
  const from = update.length - reader.remaining;
  for (let i = 0; i < count; i++) if (!skipText(reader)) return undefined;
  const end = structs.at(-1)?.[2] ?? start;
  const bytes = update.subarray(from, update.length - reader.remaining);
  return { runs: [{ client, start, end, count, bytes }], deletions };
}

/** Reads on to the end of a struct, if it is text: see `Item.write` of Yjs (src/structs/Item.js). */
function skipText(reader: ByteReader): boolean {
  const info = reader.uint8();
  if ((info & CONTENT) !== STRING) return false;
  if ((info & LEFT) !== 0) skipId(reader);
  if ((info & RIGHT) !== 0) skipId(reader);
  if ((info & (LEFT | RIGHT)) === 0) {
    // Its parent: a type by its name, or the operation that made it.
    if (reader.varUint() === 1) reader.varBytes();
    else skipId(reader);
    if ((info & KEY) !== 0) reader.varBytes();
  }
  reader.varBytes();
  return true;
}

function skipId(reader: ByteReader): void {
  reader.varUint();
  reader.varUint();
}

/** Puts updates together; `undefined` if the operations of a client do not follow each other in them. */
export function concatenate(
  bodies: readonly UpdateBody[],
): { readonly update: Uint8Array; readonly body: UpdateBody } | undefined {
  const byClient = new Map<number, Run[]>();
  const deleted: OperationRange[] = [];
  for (const { runs, deletions } of bodies) {
    deleted.push(...deletions);
    for (const run of runs) {
      const before = byClient.get(run.client);
      if (before === undefined) byClient.set(run.client, [run]);
      else if (before.at(-1)?.end === run.start) before.push(run);
      else return undefined;
    }
  }
  const deletions = rangesOf(deleted);
  const writer = new ByteWriter();
  const places: { readonly run: Omit<Run, "bytes">; readonly from: number; readonly to: number }[] =
    [];
  writer.varUint(byClient.size);
  // The highest client first: merging and diffing take it for granted.
  for (const [client, runs] of [...byClient].sort(([a], [b]) => b - a)) {
    const start = runs[0]?.start ?? 0;
    const end = runs.at(-1)?.end ?? start;
    const count = runs.reduce((sum, run) => sum + run.count, 0);
    writer.varUint(count);
    writer.varUint(client);
    writer.varUint(start);
    const from = writer.length;
    for (const { bytes } of runs) writer.put(bytes);
    places.push({ run: { client, start, end, count }, from, to: writer.length });
  }
  writeDeletions(writer, deletions.clients);
  // Alone in its buffer, as everything handed to Yjs.
  const update = new Uint8Array(writer.finish());
  const runs = places.map(({ run, from, to }) => ({ ...run, bytes: update.subarray(from, to) }));
  return { update, body: { runs, deletions: deletions.list() } };
}

function rangesOf(deletions: readonly OperationRange[]): IdRanges {
  const ranges = new IdRanges();
  for (const [client, start, end] of deletions) ranges.add(client, start, end);
  return ranges;
}
