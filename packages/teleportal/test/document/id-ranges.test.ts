import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdRanges } from "../../src/document/id-ranges.ts";

const range = fc
  .tuple(fc.nat({ max: 2 }), fc.nat({ max: 60 }), fc.nat({ max: 12 }))
  .map(([client, start, length]) => [client, start, start + length] as const);

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
    has(client: number, start: number, end: number): boolean {
      for (let clock = start; clock < end; clock++) {
        if (!ids.has(`${client}:${clock}`)) return false;
      }
      return true;
    },
    get sorted(): string[] {
      return [...ids].sort();
    },
  };
}

describe("a set of operation ids", () => {
  it("holds exactly what was added, in whatever order and overlap", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (added) => {
        const ranges = new IdRanges();
        const naive = createNaiveSet();
        for (const [client, start, end] of added) {
          expect(ranges.add(client, start, end)).toBe(naive.add(client, start, end));
        }
        const ids: string[] = [];
        for (const [client, bounds] of ranges.clients) {
          for (let i = 0; i < bounds.length; i += 2) {
            for (let clock = bounds[i] ?? 0; clock < (bounds[i + 1] ?? 0); clock++) {
              ids.push(`${client}:${clock}`);
            }
          }
        }
        expect(ids.sort()).toEqual(naive.sorted);
      }),
      { numRuns: 2000 },
    );
  });

  it("has a range when it has every id of it", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), range, (added, asked) => {
        const ranges = new IdRanges();
        const naive = createNaiveSet();
        for (const each of added) {
          ranges.add(...each);
          naive.add(...each);
        }
        expect(ranges.has(...asked)).toBe(naive.has(...asked));
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps its ranges sorted and apart, so that equal sets have one form", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (added) => {
        const ranges = new IdRanges();
        for (const each of added) ranges.add(...each);
        for (const bounds of ranges.clients.values()) {
          const ascending = bounds.every((bound, i) => i === 0 || (bounds[i - 1] ?? 0) < bound);
          expect(ascending, bounds.join()).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("takes typing in as one range, however long it goes on", () => {
    const ranges = new IdRanges();
    for (let clock = 0; clock < 10_000; clock++) ranges.add(1, clock, clock + 1);
    expect(ranges.clients.get(1)).toEqual([0, 10_000]);
  });
});
