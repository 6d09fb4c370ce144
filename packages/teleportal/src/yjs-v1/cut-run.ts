import type { Run } from "./run.ts";
import { RunWriter } from "./run-writer.ts";
import { StructReader } from "./struct-reader.ts";

/** The operations of a run from clock `start` up to clock `end`, not included. A struct that has more of them is cut. */
export function cutRun(run: Run, start: number, end: number): Run {
  if (start <= run.start && end >= run.end) return run;
  const from = Math.max(start, run.start);
  const writer = new RunWriter(run.client, from);
  const reader = StructReader.ofRun(run);
  while (writer.end < end && reader.next()) {
    const first = Math.max(0, from - reader.clock);
    const last = Math.min(reader.length, end - reader.clock);
    if (first < last) writer.add(reader, first, last, "kept");
  }
  return writer.finish();
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
