import type { Run } from "./run.ts";
import { RunWriter } from "./run-writer.ts";
import { StructReader } from "./struct-reader.ts";

/** Clocks of one client: the first, and the one behind the last. */
export interface Clocks {
  readonly start: number;
  readonly end: number;
}

/** The operations of a run with these clocks, which are in order: a run for each of them. A struct that has more is cut. */
export function cutRun(run: Run, parts: readonly Clocks[]): readonly Run[] {
  const [first] = parts;
  if (first === undefined) return [];
  if (first.start <= run.start && first.end >= run.end) return [run];
  const runs: Run[] = [];
  const reader = StructReader.ofRun(run);
  let reading = reader.next();
  for (const part of parts) {
    const start = Math.max(part.start, run.start);
    const end = Math.min(part.end, run.end);
    const writer = new RunWriter(run.client, start);
    while (reading && reader.clock < end) {
      const from = Math.max(0, start - reader.clock);
      const to = Math.min(reader.length, end - reader.clock);
      if (from < to) writer.add(reader, from, to, "kept");
      // What is left of the struct may belong to the next part.
      if (to < reader.length) break;
      reading = reader.next();
    }
    runs.push(writer.finish());
  }
  return runs;
}

/** Its first structs, as many as have `bytes` together and one at least, and the rest, if there is any. */
export function splitRun(run: Run, bytes: number): readonly [first: Run, rest: Run | undefined] {
  if (run.count === 1 || run.to - run.from <= bytes) return [run, undefined];
  const reader = StructReader.ofRun(run);
  let first = run;
  for (let count = 1; reader.next(); count++) {
    if (count > 1 && reader.to - run.from > bytes) break;
    const { clock, from, to, length } = reader;
    first = { ...run, count, end: clock + length, to, lastFrom: from, lastClock: clock };
  }
  return [first, { ...run, count: run.count - first.count, start: first.end, from: first.to }];
}
