import { ByteWriter } from "@teleportal/sync-core";
import type { ClientRanges } from "@teleportal/sync-core";
import type { Run } from "./run.ts";
import { Content } from "./struct-reader.ts";

/** By client, in the order of their clocks, disjoint. */
export type ClientRuns = ReadonlyMap<number, readonly Run[]>;

/** An update, as byte ranges that follow each other: what is large is copied once, to where it is needed. */
export type UpdateParts = readonly Uint8Array[];

/** So few bytes are copied at once. */
const LITTLE = 1024;

/**
 * Writes runs and deletions as one update in Yjs's V1 format (`writeClientsStructs` of Yjs, src/utils/encoding.js): for each
 * client, the highest first, its structs one after the other, and a `Skip` for each hole.
 */
export function writeUpdate(runs: ClientRuns, deletions: ClientRanges): UpdateParts {
  const parts: Uint8Array[] = [];
  let writer = new ByteWriter();
  writer.varUint(runs.size);
  for (const client of highestFirst(runs)) {
    const ofClient = runs.get(client) ?? [];
    let clock = ofClient[0]?.start ?? 0;
    writer.varUint(structsOf(ofClient));
    writer.varUint(client);
    writer.varUint(clock);
    for (const run of ofClient) {
      if (run.start > clock) {
        writer.uint8(Content.skip);
        writer.varUint(run.start - clock);
      }
      clock = run.end;
      if (run.to - run.from <= LITTLE) {
        writer.putPart(run.bytes, run.from, run.to);
      } else {
        parts.push(writer.finish(), run.bytes.subarray(run.from, run.to));
        writer = new ByteWriter();
      }
    }
  }
  writeDeletions(writer, deletions);
  parts.push(writer.finish());
  return parts;
}

/** The parts as one piece, alone in its buffer. */
export function joinParts(parts: UpdateParts): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of parts) {
    joined.set(part, position);
    position += part.length;
  }
  return joined;
}

/** How many bytes the structs of these runs take. */
export function bytesOf(runs: Iterable<Run>): number {
  let bytes = 0;
  for (const { from, to } of runs) bytes += to - from;
  return bytes;
}

/** Adds runs, in any order, of which nothing is there. */
export function addRuns(runs: Map<number, Run[]>, added: Iterable<Run>): void {
  const disordered = new Set<Run[]>();
  for (const run of added) {
    const ofClient = runs.get(run.client);
    if (ofClient === undefined) {
      runs.set(run.client, [run]);
      continue;
    }
    // Each is put to its place at the end: one by one that would take the product.
    if ((ofClient.at(-1)?.end ?? 0) > run.start) disordered.add(ofClient);
    ofClient.push(run);
  }
  for (const ofClient of disordered) ofClient.sort((a, b) => a.start - b.start);
}

function structsOf(runs: readonly Run[]): number {
  let structs = 0;
  let clock = runs[0]?.start ?? 0;
  for (const { start, end, count } of runs) {
    // A hole is a struct too.
    structs += start > clock ? count + 1 : count;
    clock = end;
  }
  return structs;
}

function highestFirst(runs: ClientRuns): Iterable<number> {
  // Two hundred thousand are sorted ten times as fast when they are known to be numbers.
  return runs.size === 1 ? runs.keys() : Float64Array.from(runs.keys()).sort().toReversed();
}

function writeDeletions(writer: ByteWriter, clients: ClientRanges): void {
  writer.varUint(clients.size);
  for (const [client, ranges] of clients) {
    writer.varUint(client);
    writer.varUint(ranges.length / 2);
    for (let i = 0; i < ranges.length; i += 2) {
      const start = ranges[i] ?? 0;
      writer.varUint(start);
      writer.varUint((ranges[i + 1] ?? start) - start);
    }
  }
}
