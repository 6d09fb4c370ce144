import { describe, expect, it } from "vitest";
import { UnsentUpdates } from "../../src/replica/unsent-updates.ts";

const frame = (length: number): Uint8Array => new Uint8Array(length);

describe("what was typed and not sent", () => {
  it("is kept whole or not at all while the link is down, and kept again once it is up", () => {
    const budget = { held: 0, cap: 1000 };
    const updates = new UnsentUpdates(100, budget);
    updates.add(frame(60), false);
    updates.add(frame(41), false);
    // It would fit, and mean nothing without what is missing before it.
    updates.add(frame(1), false);
    expect(updates.take()).toEqual([]);
    updates.startOver();
    updates.add(frame(5), true);
    expect(updates.take()).toEqual([frame(5)]);
    expect(budget.held).toBe(0);
  });

  it("shares one budget with the other documents of the instance", () => {
    const budget = { held: 0, cap: 100 };
    const [first, second] = [new UnsentUpdates(100, budget), new UnsentUpdates(100, budget)];
    first.add(frame(60), false);
    second.add(frame(60), false);
    expect([first.empty, second.empty]).toEqual([false, true]);
    expect(budget.held).toBe(60);
    expect(first.take()).toEqual([frame(60)]);
    expect(budget.held).toBe(0);
  });

  it("is not bounded while the link is up: it goes with this turn", () => {
    const updates = new UnsentUpdates(10, { held: 0, cap: 10 });
    updates.add(frame(60), true);
    expect(updates.take()).toEqual([frame(60)]);
  });
});
