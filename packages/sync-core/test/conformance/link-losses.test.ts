import { describe, expect, it } from "vitest";
import type { SyncDriver } from "@teleportal/sync-core";
import { openConformance, runConformance } from "@teleportal/sync-core/conformance";
import type { BrokerFaults, ConformanceTarget } from "@teleportal/sync-core/conformance";
import { createLinkLosses } from "../../src/conformance/link-losses.ts";
import { createReferenceBroker } from "./reference-broker.ts";
import { referenceTarget } from "./reference-target.ts";

const nothing = async (): Promise<void> => {};
const FAULTS: BrokerFaults = { cut: nothing, darken: nothing, heal: nothing, restart: nothing };
const UP = { state: "up" } as const;
const DOWN = { state: "down", cause: new Error("reset by peer") } as const;

describe("a lost link", () => {
  it("that nothing had broken is told with its cause, the first of them", () => {
    const losses = createLinkLosses();
    const said = losses.follow("direct", false);
    for (const state of [UP, DOWN, UP, { state: "down" } as const]) said(state);
    expect(losses.first).toBe("reset by peer");
  });

  it("that was not there yet is not lost", () => {
    const losses = createLinkLosses();
    losses.follow("direct", false)(DOWN);
    expect(losses.first).toBeUndefined();
  });

  it.each(["cut", "darken"] as const)(
    "through which the check has reached, by `%s`, is excused until it is back",
    async (fault) => {
      const losses = createLinkLosses();
      const faults = losses.excusing(FAULTS);
      const said = losses.follow("link", true);
      await faults[fault]();
      // Found late, after it was healed.
      await faults.heal();
      said(DOWN);
      expect(losses.first).toBeUndefined();
      said(UP);
      said(DOWN);
      expect(losses.first).toBe("reset by peer");
    },
  );

  it("beside the one that the check has cut is not excused", async () => {
    const losses = createLinkLosses();
    await losses.excusing(FAULTS).cut();
    losses.follow("direct", true)(DOWN);
    expect(losses.first).toBe("reset by peer");
  });

  it("is excused while a broker of several nodes is restarted, as often as it likes", async () => {
    const losses = createLinkLosses();
    const said = losses.follow("direct", true);
    const faults = losses.excusing({
      ...FAULTS,
      async restart() {
        for (const state of [DOWN, UP, DOWN, UP, DOWN]) said(state);
      },
    });
    await faults.restart();
    said(UP);
    expect(losses.first).toBeUndefined();
    said(DOWN);
    expect(losses.first).toBe("reset by peer");
  });
});

describe("a check during which a link is lost by itself", () => {
  /** Whose link falls at its first publish, `times` in all, and takes with it what is published from then on. */
  function fallingTarget(times: number): ConformanceTarget {
    const broker = createReferenceBroker();
    let left = times;
    return referenceTarget(broker, (driver): SyncDriver => {
      let say: Parameters<SyncDriver["watch"]>[0] | undefined;
      let fallen = false;
      return {
        ...driver,
        watch(listener) {
          say = listener;
          driver.watch(listener);
        },
        async publish(channel, bytes) {
          if (!fallen && left > 0 && channel.includes("conformance-")) {
            left -= 1;
            fallen = true;
            say?.({ state: "down", cause: new Error("reset by peer") });
            say?.({ state: "up" });
          }
          return fallen ? 0 : driver.publish(channel, bytes);
        },
      };
    });
  }

  const select = ({ id }: { readonly id: string }): boolean => id === "delivery/exactly-once";

  it("is run again, and says so", { timeout: 60_000 }, async () => {
    const lost: string[] = [];
    const report = await runConformance(
      { ...fallingTarget(2), patience: 500 },
      { select, onLinkLost: ({ id }, cause) => lost.push(`${id}: ${cause}`) },
    );
    expect(report.results).toMatchObject([{ outcome: "passed" }]);
    expect(lost).toEqual(Array(2).fill("delivery/exactly-once: reset by peer"));
  });

  it("fails if that happens each time", { timeout: 60_000 }, async () => {
    let lost = 0;
    const conformance = await openConformance(
      { ...fallingTarget(Number.POSITIVE_INFINITY), patience: 500 },
      { onLinkLost: () => (lost += 1) },
    );
    const [check] = conformance.checks.filter(select);
    if (check === undefined) throw new Error("there is no such check");
    await expect(conformance.run(check)).rejects.toThrow(
      "in each of 3 runs a link was lost that nothing had broken (reset by peer)",
    );
    expect(lost).toBe(2);
    await conformance.close();
  });
});
