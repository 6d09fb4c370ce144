import type { UpdateList } from "./update-list.ts";
import type { IdRanges } from "./id-ranges.ts";
import type { Run } from "./run.ts";
import { RunWriter } from "./run-writer.ts";
import { Content, StructReader } from "./struct-reader.ts";

/** So many clients' runs are written at once: each takes two buffers of some kilobytes. */
const MOST_WRITERS = 64;

/** A larger run is not gone on with, in bytes: compacting joins such runs. */
export const GROWING = 2 * 1024;

/**
 * Puts the structs of updates together in runs, each client's in the order they come. What was typed in one go becomes one struct.
 *
 * @param updates Checked before; none has a struct that another one has.
 * @param behind Gives the run that goes on at that clock of that client, if there is one: it is replaced by what is returned.
 * @param deletions Is given what they delete.
 */
export function gatherUpdates(
  updates: UpdateList,
  behind: (client: number, clock: number) => Run | undefined,
  deletions?: IdRanges,
): readonly Run[] {
  const runs: Run[] = [];
  const writers = new Map<number, RunWriter>();
  const reader = StructReader.ofUpdates(updates.bytes);
  for (const start of updates.starts()) {
    reader.nextUpdate(start);
    while (reader.next()) {
      if (reader.content === Content.skip) continue;
      const { client, clock } = reader;
      let writer = writers.get(client);
      if (writer === undefined || writer.end !== clock || writer.size >= GROWING) {
        if (writer !== undefined) runs.push(writer.finish());
        else if (writers.size >= MOST_WRITERS) finishAll(writers, runs);
        const run = writer === undefined ? behind(client, clock) : undefined;
        writer = run === undefined ? new RunWriter(client, clock) : RunWriter.behind(run);
        writers.set(client, writer);
      }
      writer.add(reader, 0, reader.length, "kept");
    }
    deletions?.addAll(reader.deletions());
  }
  finishAll(writers, runs);
  return runs;
}

function finishAll(writers: Map<number, RunWriter>, runs: Run[]): void {
  for (const writer of writers.values()) runs.push(writer.finish());
  writers.clear();
}
