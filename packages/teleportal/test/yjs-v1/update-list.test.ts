import fc from "fast-check";
import { expect, test } from "vitest";
import { UpdateList } from "../../src/yjs-v1/update-list.ts";

const updates = fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 40 });

test("holds what was pushed, in order, and forgets it when it is cleared", () => {
  fc.assert(
    fc.property(fc.array(updates, { maxLength: 4 }), fc.nat(40), (rounds, from) => {
      const list = new UpdateList();
      for (const pushed of rounds) {
        list.clear();
        for (const update of pushed) list.push(update);
        expect(list.count).toBe(pushed.length);
        expect(list.byteLength).toBe(pushed.reduce((sum, { length }) => sum + length, 0));
        expect(list.copies()).toEqual(pushed);
        expect(list.copies(Math.min(from, pushed.length))).toEqual(pushed.slice(from));
      }
    }),
  );
});

test("neither what was pushed nor what is handed out is what it holds", () => {
  const list = new UpdateList();
  const update = Uint8Array.of(1, 2, 3);
  list.push(update);
  update.fill(0);
  list.copies()[0]?.fill(9);
  expect(list.copies()).toEqual([Uint8Array.of(1, 2, 3)]);
});
