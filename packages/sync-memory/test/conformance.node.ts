import { after, describe, it } from "node:test";
import { openConformance } from "@teleportal/sync-core/conformance";
import { target } from "./conformance-target.ts";

const conformance = await openConformance(target);

describe(`${conformance.title} conforms`, () => {
  for (const check of conformance.checks) {
    it(`${check.id}: ${check.title}`, { timeout: conformance.timeout }, () =>
      conformance.run(check),
    );
  }
  after(() => conformance.close());
});
