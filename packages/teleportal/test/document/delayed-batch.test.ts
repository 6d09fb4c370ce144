import { expect, it } from "vitest";
import { createDelayedBatch } from "../../src/document/delayed-batch.ts";
import { nextUncaught } from "../../../sync-core/test/transport/next-uncaught.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Counts the turns of the event loop as they begin. */
function countTurns(): { readonly turn: number } {
  const counted = { turn: 0 };
  const next = (): void => {
    counted.turn += 1;
    if (counted.turn < 10_000) setImmediate(next);
  };
  setImmediate(next);
  return counted;
}

it("flushes each member once, some in each turn of the event loop and in the order added", async () => {
  const turns = countTurns();
  const flushed: { member: number; turn: number }[] = [];
  const batch = createDelayedBatch<number>(1, 5, (member) =>
    flushed.push({ member, turn: turns.turn }),
  );
  for (const member of [...numbers(100), 3, 4]) batch.add(member);
  expect(flushed).toEqual([]);
  await expect.poll(() => flushed.length).toBe(100);
  expect(flushed.map(({ member }) => member)).toEqual(numbers(100));
  const perTurn = new Map<number, number>();
  for (const { turn } of flushed) perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
  // Twice: what a task after the turn asks for in the same turn is done at once, and no more than that.
  expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(10);
});

it("flushes once more, and later, who is added while others are flushed", async () => {
  const flushed: number[] = [];
  const batch = createDelayedBatch<number>(1, 1, (member) => {
    flushed.push(member);
    if (flushed.length === 1) for (const late of [0, 9]) batch.add(late);
  });
  for (const member of numbers(3)) batch.add(member);
  await expect.poll(() => flushed).toEqual([0, 1, 2, 0, 9]);
});

it("flushes nobody any more once it is cancelled, in the middle of it too", async () => {
  const flushed: number[] = [];
  const batch = createDelayedBatch<number>(1, 1, (member) => {
    flushed.push(member);
    if (member === 1) batch.cancel();
  });
  const fence = createDelayedBatch<string>(1, 1, () => flushed.push(-1));
  for (const member of numbers(5)) batch.add(member);
  await expect.poll(() => flushed).toEqual([0, 1]);
  fence.add("fence");
  await expect.poll(() => flushed).toEqual([0, 1, -1]);
});

it("goes on behind one that throws, and with those that come later", async () => {
  const uncaught = nextUncaught();
  const flushed: number[] = [];
  const failure = new Error("it cannot be flushed");
  const batch = createDelayedBatch<number>(1, 10, (member) => {
    if (member === 1) throw failure;
    flushed.push(member);
  });
  for (const member of numbers(4)) batch.add(member);
  expect(await uncaught).toBe(failure);
  await expect.poll(() => flushed).toEqual([0, 2, 3]);
  batch.add(4);
  await expect.poll(() => flushed).toEqual([0, 2, 3, 4]);
});
