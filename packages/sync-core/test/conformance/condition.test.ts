import { describe, expect, it } from "vitest";
import { createCondition, settles } from "../../src/conformance/condition.ts";

/** As a machine does that has no time for this process. */
function blockFor(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("the patience of a check", () => {
  it("ends a wait for what does not come", async () => {
    const condition = createCondition(100);
    await expect(
      condition.until(
        () => false,
        () => "nothing came",
      ),
    ).rejects.toThrow("nothing came (waited 100 ms)");
    await expect(settles(new Promise(() => {}), 100, "it did not settle")).rejects.toThrow(
      "it did not settle (waited 100 ms)",
    );
  });

  it("does not count the time in which the process could not run", async () => {
    const condition = createCondition(100);
    let holds = false;
    const waits = [
      condition.until(
        () => holds,
        () => "late",
      ),
      settles(new Promise((resolve) => setTimeout(resolve, 20)), 100, "late"),
    ];
    await new Promise((resolve) => setTimeout(resolve, 5));
    blockFor(500);
    setTimeout(() => {
      holds = true;
      condition.changed();
    }, 10);
    await Promise.all(waits);
  });
});
