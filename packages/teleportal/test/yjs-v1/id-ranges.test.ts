import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdRanges } from "../../src/yjs-v1/id-ranges.ts";
import type { OperationRange } from "../../src/yjs-v1/id-ranges.ts";

const range: fc.Arbitrary<OperationRange> = fc
  .tuple(fc.nat({ max: 2 }), fc.nat({ max: 60 }), fc.nat({ max: 12 }))
  .map(([client, start, length]) => ({ client, start, end: start + length }));

function boundsOf({ client, start, end }: OperationRange): [number, number, number] {
  return [client, start, end];
}

const rangeOfSome = range.filter(({ start, end }) => end > start);

/** Few, which are added one by one, and many, which are not. */
const ranges = fc.oneof(
  fc.array(range, { maxLength: 40 }),
  fc.array(range, { minLength: 65, maxLength: 150 }),
);

const runs = { numRuns: 2000 };

/** The same set, one id at a time. */
function createNaiveSet() {
  const ids = new Set<string>();
  return {
    /** How many were not there yet. */
    add(client: number, start: number, end: number): number {
      const before = ids.size;
      for (let clock = start; clock < end; clock++) ids.add(`${client}:${clock}`);
      return ids.size - before;
    },
    /** Of each id, whether it is there. */
    presence(client: number, start: number, end: number): boolean[] {
      return Array.from({ length: Math.max(0, end - start) }, (_, offset) =>
        ids.has(`${client}:${start + offset}`),
      );
    },
    get sorted(): string[] {
      return [...ids].sort();
    },
  };
}

function rangesOf(added: readonly OperationRange[]) {
  const [held, naive] = [new IdRanges(), createNaiveSet()];
  for (const each of added) {
    held.add(each.client, each.start, each.end);
    naive.add(each.client, each.start, each.end);
  }
  return { held, naive };
}

function idsOf(held: IdRanges): string[] {
  const ids: string[] = [];
  for (const { client, start, end } of held) {
    for (let clock = start; clock < end; clock++) ids.push(`${client}:${clock}`);
  }
  return ids.sort();
}

function expectApart(held: IdRanges): void {
  for (const bounds of held.clients.values()) {
    expect(bounds.length).toBeGreaterThan(0);
    const ascending = bounds.every((bound, i) => i === 0 || (bounds[i - 1] ?? 0) < bound);
    expect(ascending, bounds.join()).toBe(true);
  }
}

describe("a set of operation ids", () => {
  it("holds exactly what was added, in whatever order and overlap", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (added) => {
        const [held, naive] = [new IdRanges(), createNaiveSet()];
        for (const each of added)
          expect(held.add(...boundsOf(each))).toBe(naive.add(...boundsOf(each)));
        expect(idsOf(held)).toEqual(naive.sorted);
      }),
      runs,
    );
  });

  it("holds the same when many are added at once", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), ranges, (before, added) => {
        const { held, naive } = rangesOf(before);
        for (const each of added) naive.add(...boundsOf(each));
        held.addAll(added);
        expect(idsOf(held)).toEqual(naive.sorted);
        expectApart(held);
        const one = rangesOf([...before, ...added]).held;
        expect(new Map(held.clients)).toEqual(new Map(one.clients));
        expect(held.whole).toBe(one.whole);
      }),
      runs,
    );
  });

  it("has a range when it has every id of it, and lacks it when it has none", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), rangeOfSome, (added, asked) => {
        const { held, naive } = rangesOf(added);
        const presence = naive.presence(...boundsOf(asked));
        expect(held.has(...boundsOf(asked))).toBe(!presence.includes(false));
        expect(held.lacks(...boundsOf(asked))).toBe(!presence.includes(true));
      }),
      runs,
    );
  });

  it("counts the ids that it has of a range", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), rangeOfSome, (added, asked) => {
        const { held, naive } = rangesOf(added);
        const presence = naive.presence(...boundsOf(asked));
        expect(held.count(...boundsOf(asked))).toBe(presence.filter(Boolean).length);
      }),
      runs,
    );
  });

  it("cuts a range into what it has and what it lacks, in order and as few as can be", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), range, (added, asked) => {
        const { held, naive } = rangesOf(added);
        const segments = held.segments(...boundsOf(asked));
        const presence = segments.flatMap(({ start, end, present }) =>
          Array<boolean>(end - start).fill(present),
        );
        expect(presence).toEqual(naive.presence(...boundsOf(asked)));
        for (const [i, { start, end, present }] of segments.entries()) {
          expect(end).toBeGreaterThan(start);
          expect(start).toBe(segments[i - 1]?.end ?? asked.start);
          expect(present).not.toBe(segments[i - 1]?.present);
        }
      }),
      runs,
    );
  });

  it("is whole when each client's ids are there from 0 without a hole", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (added) => {
        const { held } = rangesOf(added);
        const whole = [...held.clients.values()].every(
          (bounds) => bounds.length === 2 && bounds[0] === 0,
        );
        expect(held.whole).toBe(whole);
      }),
      runs,
    );
  });

  it("keeps its ranges sorted and apart, so that equal sets have one form", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (added) => {
        expectApart(rangesOf(added).held);
      }),
      runs,
    );
  });

  it("takes typing in as one range, however long it goes on", () => {
    const held = new IdRanges();
    for (let clock = 0; clock < 10_000; clock++) held.add(1, clock, clock + 1);
    expect(held.clients.get(1)).toEqual([0, 10_000]);
  });

  it("takes tens of thousands of holes at once in a moment", () => {
    const held = new IdRanges();
    const everyFourth = (from: number): OperationRange[] =>
      Array.from({ length: 50_000 }, (_, i) => {
        const start = 4 * i + from;
        return { client: 1, start, end: start + 1 };
      });
    held.addAll(everyFourth(0));
    held.addAll(everyFourth(2).toReversed());
    expect(held.clients.get(1)).toHaveLength(200_000);
  });
});
