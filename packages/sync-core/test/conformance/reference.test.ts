import { describe, expect, it } from "vitest";
import { conformanceChecks, runConformance } from "@teleportal/sync-core/conformance";
import type { ReferenceCapabilities } from "./reference-broker.ts";
import { createReferenceBroker } from "./reference-broker.ts";
import { referenceTarget } from "./reference-target.ts";

const variants: Readonly<Record<string, ReferenceCapabilities>> = {
  "that keeps the order and hands each message out once": {},
  "that leaves a publisher's own messages out": { echo: "never" },
  "that keeps no order and hands some messages out twice": {
    ordering: "none",
    delivery: "at-least-once",
  },
};

describe("the conformance suite", () => {
  it.each(Object.entries(variants))(
    "finds nothing wrong with an adapter for a broker %s",
    { timeout: 90_000 },
    async (_title, capabilities) => {
      const report = await runConformance(referenceTarget(createReferenceBroker(capabilities)));
      expect(report.results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
      expect(report.conformant).toBe(true);
      expect(report.passed).toBeGreaterThan(80);
      expect(report.passed + report.notApplicable).toBe(conformanceChecks.length);
    },
  );

  it("names each check once, and sorts them into areas", () => {
    const ids = conformanceChecks.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+\/[a-z-]+$/);
  });

  it("refuses a target that opens nothing", async () => {
    await expect(runConformance({ name: "nothing" })).rejects.toThrow(
      "[sync-core] the conformance target nothing opens nothing: give it `openDriver`",
    );
  });

  it("passes on what a target throws at its opening, and closes it: then nothing was checked", async () => {
    let closed = 0;
    const target = {
      name: "away",
      openDriver: () => Promise.reject(new Error("no such host")),
      close: async () => void (closed += 1),
    };
    await expect(runConformance(target)).rejects.toThrow("no such host");
    expect(closed).toBe(1);
  });

  it("ends a check of what never settles by itself", async () => {
    const target = referenceTarget(createReferenceBroker(), (driver) => ({
      ...driver,
      // The factory's own farewell, on its control channel, is what opening a conformance run waits for.
      publish: (channel, bytes) =>
        channel.startsWith("conformance:") ? driver.publish(channel, bytes) : new Promise(() => {}),
    }));
    const report = await runConformance(
      { ...target, patience: 200 },
      { select: ({ id }) => id === "delivery/exactly-once" },
    );
    expect(report.results).toMatchObject([
      { outcome: "failed", error: "a publish did not settle (waited 200 ms)" },
    ]);
  });
});
