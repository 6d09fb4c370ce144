import { afterAll, describe, expect, it } from "vitest";
import { brokenFactories } from "./broken-factories/index.ts";
import { brokenFactoryTarget } from "./broken-target.ts";
import { failedChecks } from "./failed-checks.ts";
import { endLeftRunning } from "./left-running.ts";

describe("the conformance suite, given a factory that", () => {
  afterAll(endLeftRunning);

  it.each(brokenFactories)(
    "$title, fails exactly the checks of that",
    { timeout: 120_000 },
    async (broken) => {
      const failed = await failedChecks(() => brokenFactoryTarget(broken), "factory", broken.fails);
      expect(failed).toEqual(broken.fails);
    },
  );
});
