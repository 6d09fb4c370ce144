import type { ClientRanges } from "@teleportal/sync-core";

/**
 * A set of Yjs operation ids (client, clock), as sorted, disjoint, half-open ranges per client. Adding at the end,
 * which is what typing does, takes constant time.
 */
export class IdRanges {
  readonly #clients = new Map<number, number[]>();
  /** Made when there is one: seldom, and a document has several of these. */
  #withHoles: Set<number> | undefined;

  get clients(): ClientRanges {
    return this.#clients;
  }

  /** Whether each client's ids are there from 0 without a hole. Known without looking, however many clients. */
  get whole(): boolean {
    return this.#withHoles === undefined || this.#withHoles.size === 0;
  }

  /** Adds `[start, end)` of that client; returns how many of it were not there yet. */
  add(client: number, start: number, end: number): number {
    if (end <= start) return 0;
    let ranges = this.#clients.get(client);
    if (ranges === undefined) {
      ranges = [];
      this.#clients.set(client, ranges);
    }
    const added = addTo(ranges, start, end);
    if (ranges.length === 2 && ranges[0] === 0) this.#withHoles?.delete(client);
    else (this.#withHoles ??= new Set()).add(client);
    return added;
  }

  /** Whether all of `[start, end)` is there. */
  has(client: number, start: number, end: number): boolean {
    if (end <= start) return true;
    const ranges = this.#clients.get(client);
    if (ranges === undefined) return false;
    const i = firstEndingAtOrAfter(ranges, start + 1);
    return i < ranges.length && at(ranges, i) <= start && at(ranges, i + 1) >= end;
  }
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

function addTo(ranges: number[], start: number, end: number): number {
  const last = ranges.length - 2;
  if (ranges.length === 0 || start > at(ranges, last + 1)) {
    ranges.push(start, end);
    return end - start;
  }
  if (start >= at(ranges, last)) {
    const added = end - at(ranges, last + 1);
    if (added <= 0) return 0;
    ranges[last + 1] = end;
    return added;
  }
  const first = firstEndingAtOrAfter(ranges, start);
  if (at(ranges, first) <= start && at(ranges, first + 1) >= end) return 0;
  let next = first;
  let present = 0;
  let mergedStart = start;
  let mergedEnd = end;
  while (next < ranges.length && at(ranges, next) <= end) {
    mergedStart = Math.min(mergedStart, at(ranges, next));
    mergedEnd = Math.max(mergedEnd, at(ranges, next + 1));
    present += at(ranges, next + 1) - at(ranges, next);
    next += 2;
  }
  ranges.splice(first, next - first, mergedStart, mergedEnd);
  return mergedEnd - mergedStart - present;
}
