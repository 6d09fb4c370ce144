import type { OperationRange } from "./id-ranges.ts";
import { MalformedUpdateError } from "./malformed-update-error.ts";
import { Content, StructReader, unlessTruncated } from "./struct-reader.ts";

/**
 * Structs of one client that follow each other without a hole, as they stand in an update. The bytes may be a part of a larger
 * buffer; nothing changes them.
 */
export interface Run extends OperationRange {
  /** How many structs. */
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** Where the last struct begins, and its first clock: it may go on with what comes next. */
  readonly lastFrom: number;
  readonly lastClock: number;
}

/** In bytes. A larger run is cut at the next struct, so that finding a clock in it takes a fraction of a millisecond. */
export const RUN_SIZE = 32 * 1024;

/** Each takes some hundred bytes, so a frame of many holes would take the memory of a hundred such frames. */
const MOST_RUNS = 1_000_000;

/** What is in an update. */
export interface ReadUpdate {
  /** Views of the update. */
  readonly runs: readonly Run[];
  readonly deletions: readonly OperationRange[];
  /** Whether the clients stand as Yjs writes them, the highest first: its merging takes that for granted. */
  readonly ordered: boolean;
}

/**
 * Reads an update in Yjs's V1 format to its end, and checks it in full.
 *
 * @throws MalformedUpdateError if the bytes are in another format, are cut off, or have content that Yjs 13 cannot apply.
 */
export function readUpdate(update: Uint8Array): ReadUpdate {
  return unlessTruncated(() => {
    const reader = StructReader.ofUpdate(update);
    const runs = readRuns(reader);
    if (runs.length > MOST_RUNS) {
      throw new MalformedUpdateError(`more than ${MOST_RUNS} clients and holes in one update`);
    }
    if (!reader.ordered) checkClients(reader.clients);
    return { runs, deletions: reader.deletions(), ordered: reader.ordered };
  });
}

const NONE: readonly never[] = [];

/** Yjs takes the last section of a client for all that the update has of it, and what stands in others is lost. */
function checkClients(clients: readonly number[]): void {
  if (new Set(clients).size !== clients.length) {
    throw new MalformedUpdateError("two sections of one client");
  }
}

function readRuns(reader: StructReader): readonly Run[] {
  let runs: Run[] | undefined;
  let last: { -readonly [Field in keyof Run]: Run[Field] } | undefined;
  while (reader.next()) {
    const { from, to, clock } = reader;
    const end = clock + reader.length;
    if (reader.content === Content.skip) {
      last = undefined;
    } else if (last === undefined || last.to !== from || to - last.from > RUN_SIZE) {
      // Behind a section's head the bytes do not follow those before.
      const { client, bytes } = reader;
      const run = {
        client,
        start: clock,
        end,
        count: 1,
        bytes,
        from,
        to,
        lastFrom: from,
        lastClock: clock,
      };
      // Made with its first, mostly the only one: an array that grows from nothing has room for seventeen.
      if (runs === undefined) runs = [run];
      else runs.push(run);
      last = run;
    } else {
      last.end = end;
      last.count += 1;
      last.to = to;
      last.lastFrom = from;
      last.lastClock = clock;
    }
  }
  return runs ?? NONE;
}
