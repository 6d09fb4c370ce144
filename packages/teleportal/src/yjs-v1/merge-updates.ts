import { gatherUpdates } from "./gather-updates.ts";
import { IdRanges } from "./id-ranges.ts";
import type { Run } from "./run.ts";
import { UpdateList } from "./update-list.ts";
import { addRuns, joinParts, writeUpdate } from "./update-writer.ts";

/** Updates as one that holds the same. They were checked before, and none has a struct that another one has. */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  const list = new UpdateList(updates.reduce((bytes, { length }) => bytes + length, 0));
  for (const update of updates) list.push(update);
  const deletions = new IdRanges();
  const runs = new Map<number, Run[]>();
  addRuns(
    runs,
    gatherUpdates(list, () => undefined, deletions),
  );
  return joinParts(writeUpdate(runs, deletions.clients));
}
