import type { IdRanges } from "./id-ranges.ts";
import { RUN_SIZE } from "./run.ts";
import type { Run } from "./run.ts";
import { RunWriter } from "./run-writer.ts";
import type { Fate } from "./run-writer.ts";
import { Content, StructReader } from "./struct-reader.ts";

/** What compacting takes the content from. */
export interface Deleted {
  /** What is deleted and loses its content. */
  readonly removed: IdRanges;
  /** What is a GC struct. Compacting adds to it. */
  readonly collected: IdRanges;
}

/**
 * Writes runs of one client that follow each other without a hole as few bytes, as Yjs's garbage collection does (`Item.gc` of Yjs,
 * src/structs/Item.js): what is deleted keeps its place without its content; if its parent is
 * deleted as well, it becomes a GC struct. Deletes nothing itself: an operation that no deletion names stays as it is.
 *
 * What was inserted by one client into a deleted parent of another is collected when that is known already, so perhaps by a later
 * compaction.
 */
export function compactRuns(runs: readonly Run[], deleted: Deleted): readonly Run[] {
  const [first] = runs;
  if (first === undefined) return runs;
  if (runs.length === 1 && isCompact(first, deleted.removed)) return [inOwnBuffer(first)];
  const compacted: Run[] = [];
  let writer = new RunWriter(first.client, first.start);
  for (const run of runs) {
    const reader = StructReader.ofRun(run);
    while (reader.next()) {
      if (writer.size >= RUN_SIZE) {
        compacted.push(writer.finish());
        writer = new RunWriter(first.client, reader.clock);
      }
      writeStruct(writer, reader, deleted);
    }
  }
  compacted.push(writer.finish());
  return compacted;
}

/** So that a few bytes do not keep the buffer of a large update, the rest of which is gone. */
function inOwnBuffer(run: Run): Run {
  const { bytes, from, to } = run;
  if (bytes.length <= 2 * (to - from)) return run;
  return { ...run, bytes: bytes.slice(from, to), from: 0, to: to - from, lastFrom: 0 };
}

/** A single struct, no part of which is deleted. */
function isCompact({ client, start, end, count }: Run, removed: IdRanges): boolean {
  return count === 1 && removed.lacks(client, start, end);
}

function writeStruct(writer: RunWriter, reader: StructReader, deleted: Deleted): void {
  const { client, clock, length } = reader;
  const end = clock + length;
  const { removed, collected } = deleted;
  if (reader.content === Content.gc) collected.add(client, clock, end);
  if (removed.lacks(client, clock, end)) {
    writer.add(reader, 0, length, "kept");
    return;
  }
  const fate: Fate = isCollected(reader, deleted) ? "collected" : "deleted";
  for (const part of removed.segments(client, clock, end)) {
    writer.add(reader, part.start - clock, part.end - clock, part.present ? fate : "kept");
    if (part.present && fate === "collected") collected.add(client, part.start, part.end);
  }
}

/**
 * Whether every holder of the document makes it a GC struct anyway, as what it stands in is deleted. An item stands in the same
 * parent as its neighbours (`Item.getMissing`).
 */
function isCollected(item: StructReader, { removed, collected }: Deleted): boolean {
  if (item.parentClient !== -1) return holds(removed, item.parentClient, item.parentClock);
  if (item.leftClient !== -1) return holds(collected, item.leftClient, item.leftClock);
  return item.rightClient !== -1 && holds(collected, item.rightClient, item.rightClock);
}

function holds(ranges: IdRanges, client: number, clock: number): boolean {
  return ranges.has(client, clock, clock + 1);
}
