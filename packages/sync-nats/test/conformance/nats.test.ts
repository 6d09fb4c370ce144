import { afterAll, describe, it } from "vitest";
import { conformanceChecks, openConformance } from "@teleportal/sync-core/conformance";
import { findNats, requireBroker } from "@teleportal/test-brokers";
import { createTarget } from "./nats-target.ts";

const nats = requireBroker("NATS", findNats());
const conformance = nats.skip ? undefined : await openConformance(await createTarget());

describe.skipIf(nats.skip)(`sync-nats conforms on a ${nats.title}`, () => {
  for (const check of conformance?.checks ?? conformanceChecks) {
    it(`${check.id}: ${check.title}`, () => conformance?.run(check), conformance?.timeout);
  }
  afterAll(() => conformance?.close());
});
