import { describe, expect, it } from "vitest";
import { conformanceChecks } from "@teleportal/sync-core/conformance";
import { brokenDrivers } from "./broken-drivers/index.ts";
import { brokenFactories } from "./broken-factories/index.ts";

describe("every check of the conformance suite", () => {
  const broken = [...brokenDrivers, ...brokenFactories];
  const failed = new Set(broken.flatMap(({ fails }) => fails));

  it("can fail: each MUST and SHOULD is failed by some broken adapter", () => {
    const never = conformanceChecks
      .filter(({ level, id }) => level !== "MAY" && !failed.has(id))
      .map(({ id }) => id);
    expect(never).toEqual([]);
  });

  it("has broken adapters with a title each, and none that is not found out", () => {
    expect(broken.filter(({ fails }) => fails.length === 0)).toEqual([]);
    expect(broken.length).toBeGreaterThan(90);
  });
});
