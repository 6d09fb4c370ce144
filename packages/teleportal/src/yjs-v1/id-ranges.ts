import type { ClientRanges } from "@teleportal/sync-core";

/** Operations of one client: their first clock, and the one behind the last. */
export interface OperationRange {
  readonly client: number;
  readonly start: number;
  readonly end: number;
}

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

  *[Symbol.iterator](): Generator<OperationRange> {
    for (const [client, ranges] of this.#clients) {
      for (let i = 0; i < ranges.length; i += 2) {
        yield { client, start: at(ranges, i), end: at(ranges, i + 1) };
      }
    }
  }

  /** Adds `[start, end)` of that client; returns how many of it were not there yet. */
  add(client: number, start: number, end: number): number {
    if (end <= start) return 0;
    const ranges = this.#clients.get(client);
    // Made with its first: an array that grows from nothing has room for seventeen.
    if (ranges === undefined) this.#clients.set(client, [start, end]);
    const added = ranges === undefined ? end - start : addTo(ranges, start, end);
    if (ranges === undefined ? start === 0 : ranges.length === 2 && ranges[0] === 0)
      this.#withHoles?.delete(client);
    else (this.#withHoles ??= new Set()).add(client);
    return added;
  }

  /**
   * Adds many ranges, in any order. Takes time with their number and with what those clients have, where adding them one by one
   * in the middle would take the product.
   */
  addAll(added: readonly OperationRange[]): void {
    if (added.length <= FEW) {
      for (const { client, start, end } of added) this.add(client, start, end);
      return;
    }
    for (const [client, ranges] of byClient(added)) {
      const held = this.#clients.get(client) ?? NONE;
      for (let i = 0; i < held.length; i += 2) {
        ranges.push({ client, start: at(held, i), end: at(held, i + 1) });
      }
      this.#clients.delete(client);
      for (const { start, end } of ranges.sort(byStart)) this.add(client, start, end);
    }
  }

  /** Whether all of `[start, end)` is there. */
  has(client: number, start: number, end: number): boolean {
    if (end <= start) return true;
    const ranges = this.#clients.get(client);
    if (ranges === undefined) return false;
    const i = firstEndingAtOrAfter(ranges, start + 1);
    return i < ranges.length && at(ranges, i) <= start && at(ranges, i + 1) >= end;
  }

  /** Whether nothing of `[start, end)` is there. */
  lacks(client: number, start: number, end: number): boolean {
    const ranges = this.#clients.get(client);
    if (ranges === undefined || start >= (ranges.at(-1) ?? 0)) return true;
    return at(ranges, firstEndingAtOrAfter(ranges, start + 1)) >= end;
  }

  /** How many of `[start, end)` are there. */
  count(client: number, start: number, end: number): number {
    const ranges = this.#clients.get(client) ?? NONE;
    let count = 0;
    for (let i = firstEndingAtOrAfter(ranges, start + 1); at(ranges, i) < end; i += 2) {
      count += Math.min(end, at(ranges, i + 1)) - Math.max(start, at(ranges, i));
    }
    return count;
  }

  /** Cuts `[start, end)` into what is there and what is not, in order. */
  segments(client: number, start: number, end: number): readonly Segment[] {
    const segments: Segment[] = [];
    const ranges = this.#clients.get(client) ?? NONE;
    let from = start;
    for (let i = firstEndingAtOrAfter(ranges, start + 1); from < end; i += 2) {
      const there = Math.min(at(ranges, i), end);
      if (there > from) segments.push({ start: from, end: there, present: false });
      from = Math.max(from, Math.min(at(ranges, i + 1), end));
      if (from > there) segments.push({ start: Math.max(start, there), end: from, present: true });
    }
    return segments;
  }
}

/** A part of a range, all of which is there or nothing. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly present: boolean;
}

const NONE: readonly number[] = [];

/** So few ranges are added one by one. */
const FEW = 64;

function byStart(a: OperationRange, b: OperationRange): number {
  return a.start - b.start;
}

function byClient(ranges: readonly OperationRange[]): Map<number, OperationRange[]> {
  const clients = new Map<number, OperationRange[]>();
  for (const range of ranges) {
    const ofClient = clients.get(range.client);
    if (ofClient === undefined) clients.set(range.client, [range]);
    else ofClient.push(range);
  }
  return clients;
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
