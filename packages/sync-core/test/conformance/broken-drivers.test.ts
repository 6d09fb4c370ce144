import { afterAll, describe, expect, it } from "vitest";
import { brokenDrivers } from "./broken-drivers/index.ts";
import { brokenDriverTarget } from "./broken-target.ts";
import { failedChecks } from "./failed-checks.ts";
import { endLeftRunning } from "./left-running.ts";

describe("the conformance suite, given a driver that", () => {
  afterAll(endLeftRunning);

  it.each(brokenDrivers)(
    "$title, fails exactly the checks of that",
    { timeout: 120_000 },
    async (broken) => {
      const failed = await failedChecks(() => brokenDriverTarget(broken), "driver", broken.fails);
      expect(failed).toEqual(broken.fails);
    },
  );
});
