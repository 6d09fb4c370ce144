import { MalformedUpdateError } from "../yjs-v1/malformed-update-error.ts";
import type { Steps } from "./background-work.ts";
import { History } from "./history.ts";

/** What becomes of the content of what is deleted when the stored form is made compact. */
export type DeletedContent = "removed" | "kept";

/** About how large a stored record is, in bytes: storages limit their values, some to 64 KiB. A single struct may be larger. */
const RECORD_BYTES = 48 * 1024;

/** How much is read in a step, in bytes: about a millisecond. */
const STEP_BYTES = 128 * 1024;

/** What is in a storage, read. */
export interface ReadRecords {
  readonly history: History;
  /** Records that are no updates in Yjs's V1 format, and why. They stay in the storage. */
  readonly unreadable: readonly UnreadableRecord[];
}

export interface UnreadableRecord {
  readonly record: Uint8Array;
  readonly cause: MalformedUpdateError;
}

/** Reads what a storage has given, in steps of about a millisecond. */
export function* readRecords(records: readonly Uint8Array[]): Steps<ReadRecords> {
  const history = new History();
  const unreadable: UnreadableRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    try {
      history.load(record);
    } catch (cause) {
      if (!(cause instanceof MalformedUpdateError)) throw cause;
      unreadable.push({ record, cause });
    }
    if (history.scattered) history.gather();
    bytes += record.length;
    if (bytes < STEP_BYTES) continue;
    bytes = 0;
    yield;
  }
  return { history, unreadable };
}

/** The records of a storage as few and small ones that hold the same, in steps of a millisecond or two. */
export function* compactRecords(
  records: readonly Uint8Array[],
  deletedContent: DeletedContent,
): Steps<readonly Uint8Array[]> {
  const { history, unreadable } = yield* readRecords(records);
  yield* history.compact(deletedContent);
  return [...history.pieces(RECORD_BYTES), ...unreadable.map(({ record }) => record)];
}
