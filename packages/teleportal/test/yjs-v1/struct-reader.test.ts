import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { IdRanges } from "../../src/yjs-v1/id-ranges.ts";
import { MalformedUpdateError } from "../../src/yjs-v1/malformed-update-error.ts";
import { readUpdate, RUN_SIZE } from "../../src/yjs-v1/run.ts";
import type { ReadUpdate } from "../../src/yjs-v1/run.ts";
import { Content, StructReader } from "../../src/yjs-v1/struct-reader.ts";
import { delivered, deliveries } from "../document/delivery.ts";
import { histories } from "../document/history-of.ts";
import { createRichHistory, richDocumentOf } from "../document/rich-history.ts";
import { oddUpdates } from "./odd-update.ts";

/** What is compared of a struct. */
interface Struct {
  readonly client: number;
  readonly clock: number;
  readonly length: number;
  readonly content: number;
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** That made its parent, if it names one. */
  readonly parent: readonly number[];
}

function structsIn(update: Uint8Array): Struct[] {
  const reader = StructReader.ofUpdate(update);
  const structs: Struct[] = [];
  while (reader.next()) {
    const { client, clock, length, content } = reader;
    structs.push({
      client,
      clock,
      length,
      content,
      left: [reader.leftClient, reader.leftClock],
      right: [reader.rightClient, reader.rightClock],
      parent: [reader.parentClient, reader.parentClock],
    });
  }
  return structs;
}

function structsByYjs(update: Uint8Array): Struct[] {
  return Y.decodeUpdate(update).structs.map((struct) => {
    const { id, length } = struct;
    const isItem = struct instanceof Y.Item;
    return {
      client: id.client,
      clock: id.clock,
      length,
      content: isItem
        ? struct.content.getRef()
        : struct instanceof Y.GC
          ? Content.gc
          : Content.skip,
      left: isItem ? pair(struct.origin) : NOBODY,
      right: isItem ? pair(struct.rightOrigin) : NOBODY,
      parent: isItem && struct.parent instanceof Y.ID ? pair(struct.parent) : NOBODY,
    };
  });
}

const NOBODY = [-1, -1];

function pair(id: Y.ID | null): number[] {
  return id === null ? NOBODY : [id.client, id.clock];
}

function rangesIn({ runs, deletions }: ReadUpdate): unknown {
  const [held, deleted] = [new IdRanges(), new IdRanges()];
  for (const { client, start, end } of runs) held.add(client, start, end);
  deleted.addAll(deletions);
  return [inOrder(held), inOrder(deleted)];
}

function rangesByYjs(update: Uint8Array): unknown {
  const { structs, ds } = Y.decodeUpdate(update);
  const [held, deleted] = [new IdRanges(), new IdRanges()];
  for (const struct of structs) {
    const { client, clock } = struct.id;
    if (!(struct instanceof Y.Skip)) held.add(client, clock, clock + struct.length);
  }
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) deleted.add(client, clock, clock + len);
  }
  return [inOrder(held), inOrder(deleted)];
}

function inOrder(ranges: IdRanges): unknown {
  return [...ranges].sort((a, b) => a.client - b.client);
}

/** `undefined` if it is refused. */
function readOrRefused(update: Uint8Array): ReadUpdate | undefined {
  try {
    return readUpdate(update);
  } catch (error) {
    if (error instanceof MalformedUpdateError) return undefined;
    throw error;
  }
}

/** Does with it what every client does, with types of all kinds open. */
function useInYjs(update: Uint8Array): void {
  const doc = richDocumentOf([]);
  Y.applyUpdate(doc, update);
  doc.getText("text").insert(0, "x");
  Y.applyUpdate(new Y.Doc(), Y.encodeStateAsUpdate(doc));
  Y.encodeStateAsUpdateV2(doc);
}

describe("an update", () => {
  it("is read as Yjs reads it, struct by struct, also when it was merged or cut", () => {
    fc.assert(
      fc.property(histories, deliveries, ({ updates }, random) => {
        for (const update of delivered(updates, random)) {
          expect(structsIn(update)).toEqual(structsByYjs(update));
          expect(rangesIn(readUpdate(update))).toEqual(rangesByYjs(update));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is read as runs that follow each other without a hole, none much larger than is read in a moment", () => {
    const { updates } = createRichHistory(5, { size: 600 });
    const { runs } = readUpdate(Y.mergeUpdates([...updates]));
    for (const { count, from, to, start, end, lastClock, lastFrom } of runs) {
      expect(lastClock).toBeGreaterThanOrEqual(start);
      expect(lastClock).toBeLessThan(end);
      expect(lastFrom).toBeGreaterThanOrEqual(from);
      expect(lastFrom).toBeLessThan(to);
      if (count > 1) expect(to - from).toBeLessThanOrEqual(RUN_SIZE);
    }
  });

  it("is read up to its own end, in whatever buffer it lies", () => {
    fc.assert(
      fc.property(histories, ({ updates }) => {
        for (const update of updates) {
          const pool = new Uint8Array(update.length + 16).fill(1);
          pool.set(update, 8);
          const view = pool.subarray(8, 8 + update.length);
          expect(structsIn(view)).toEqual(structsIn(update));
          expect(rangesIn(readUpdate(view))).toEqual(rangesIn(readUpdate(update)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("is read as Yjs reads it, and can be applied and sent on, or it is refused, whatever was changed in it", () => {
    const changes = fc.array(
      fc.record({
        at: fc.nat(),
        byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 4, 0x27, 0x44, 0x84, 0x7f, 0x80, 0xff)),
      }),
      { minLength: 1, maxLength: 3 },
    );
    let read = 0;
    fc.assert(
      fc.property(
        histories,
        fc.nat(),
        fc.array(changes, { minLength: 8, maxLength: 8 }),
        (history, which, all) => {
          const { updates } = history;
          const update = updates[which % updates.length] ?? Uint8Array.of();
          for (const changed of all) {
            const mutated = new Uint8Array(update);
            for (const { at, byte } of changed) mutated[at % mutated.length] = byte;
            const accepted = readOrRefused(mutated);
            if (accepted === undefined) continue;
            read += 1;
            expect(structsIn(mutated)).toEqual(structsByYjs(mutated));
            expect(rangesIn(accepted)).toEqual(rangesByYjs(mutated));
            useInYjs(mutated);
          }
        },
      ),
      { numRuns: 250 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it("is read as Yjs reads it, and can be applied and sent on, or it is refused, however odd it is", () => {
    let read = 0;
    fc.assert(
      fc.property(oddUpdates, (update) => {
        const accepted = readOrRefused(update);
        if (accepted === undefined) return;
        read += 1;
        expect(structsIn(update)).toEqual(structsByYjs(update));
        expect(rangesIn(accepted)).toEqual(rangesByYjs(update));
        useInYjs(update);
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(300);
  });
});
