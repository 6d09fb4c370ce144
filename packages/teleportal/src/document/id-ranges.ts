import type { ClientRanges } from "@teleportal/sync-core";

/**
 * A set of Yjs operation ids (client, clock), as sorted, disjoint, half-open ranges per client. Adding at the end,
 * which is what typing does, takes constant time.
 */
export interface IdRanges {
  readonly clients: ClientRanges;
  /** Adds `[start, end)` of that client; says whether any of it was not there yet. */
  add(client: number, start: number, end: number): boolean;
  /** Whether all of `[start, end)` is there. */
  has(client: number, start: number, end: number): boolean;
}

export function createIdRanges(): IdRanges {
  const clients = new Map<number, number[]>();

  return {
    clients,
    add(client, start, end) {
      if (end <= start) return false;
      const ranges = clients.get(client);
      if (ranges === undefined) {
        clients.set(client, [start, end]);
        return true;
      }
      return addTo(ranges, start, end);
    },
    has(client, start, end) {
      const ranges = clients.get(client);
      if (ranges === undefined) return false;
      const i = firstEndingAtOrAfter(ranges, start + 1);
      return i < ranges.length && at(ranges, i) <= start && at(ranges, i + 1) >= end;
    },
  };
}

function at(ranges: readonly number[], index: number): number {
  return ranges[index] ?? Number.POSITIVE_INFINITY;
}

/** The index of the first range whose end is at or after `clock`; `ranges.length` if there is none. */
function firstEndingAtOrAfter(ranges: readonly number[], clock: number): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(ranges, middle * 2 + 1) < clock) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

function addTo(ranges: number[], start: number, end: number): boolean {
  const last = ranges.length - 2;
  if (start > at(ranges, last + 1)) {
    ranges.push(start, end);
    return true;
  }
  const first = start >= at(ranges, last) ? last : firstEndingAtOrAfter(ranges, start);
  if (at(ranges, first) <= start && at(ranges, first + 1) >= end) return false;
  let next = first;
  let mergedStart = start;
  let mergedEnd = end;
  while (next < ranges.length && at(ranges, next) <= end) {
    mergedStart = Math.min(mergedStart, at(ranges, next));
    mergedEnd = Math.max(mergedEnd, at(ranges, next + 1));
    next += 2;
  }
  ranges.splice(first, next - first, mergedStart, mergedEnd);
  return true;
}
