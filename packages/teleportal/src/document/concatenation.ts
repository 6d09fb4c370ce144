import { ByteWriter } from "@teleportal/sync-core";
import { writeDeletions } from "./deletions.ts";
import { IdRanges } from "./id-ranges.ts";
import type { Run, UpdateBody } from "./text-update.ts";

/** An update, and what it consists of, if that could be told. */
export interface UpdateParts {
  readonly update: Uint8Array;
  readonly body?: UpdateBody;
}

/**
 * Puts updates together byte by byte, as in Yjs's V1 format a struct is written in the same way whatever stands around
 * it; `undefined` if of one it is not known what it consists of, or the operations of a client do not follow each other.
 */
export function concatenate(updates: readonly UpdateParts[]): Required<UpdateParts> | undefined {
  const byClient = new Map<number, [run: Run, source: Uint8Array][]>();
  const deletions = new IdRanges();
  for (const { update, body } of updates) {
    if (body === undefined) return undefined;
    for (const [client, start, end] of body.deletions) deletions.add(client, start, end);
    for (const run of body.runs) {
      const before = byClient.get(run.client);
      if (before === undefined) byClient.set(run.client, [[run, update]]);
      else if (before.at(-1)?.[0].end === run.start) before.push([run, update]);
      else return undefined;
    }
  }
  const writer = new ByteWriter();
  const runs: Run[] = [];
  writer.varUint(byClient.size);
  // The highest client first: merging and diffing take it for granted.
  for (const [client, joined] of [...byClient].sort(([a], [b]) => b - a)) {
    const start = joined[0]?.[0].start ?? 0;
    const end = joined.at(-1)?.[0].end ?? start;
    const count = joined.reduce((sum, [run]) => sum + run.count, 0);
    writer.varUint(count);
    writer.varUint(client);
    writer.varUint(start);
    const from = writer.length;
    for (const [run, source] of joined) writer.put(source.subarray(run.from, run.to));
    runs.push({ client, start, end, count, from, to: writer.length });
  }
  writeDeletions(writer, deletions.clients);
  // Alone in its buffer, as everything handed to Yjs.
  const update = new Uint8Array(writer.finish());
  return { update, body: { runs, deletions: deletions.list() } };
}
