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

  it("passes on what a target throws at its opening: then nothing was checked", async () => {
    const openDriver = () => Promise.reject(new Error("no such host"));
    await expect(runConformance({ name: "away", openDriver })).rejects.toThrow("no such host");
  });
});
