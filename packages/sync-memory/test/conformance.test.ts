import { afterAll, describe, it } from "vitest";
import { openConformance } from "@teleportal/sync-core/conformance";
import { target } from "./conformance-target.ts";

const conformance = await openConformance(target);

describe(`${conformance.title} conforms`, () => {
  for (const check of conformance.checks) {
    it(`${check.id}: ${check.title}`, () => conformance.run(check), conformance.timeout);
  }
  afterAll(() => conformance.close());
});
