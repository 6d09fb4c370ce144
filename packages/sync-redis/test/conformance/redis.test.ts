import { afterAll, describe, it } from "vitest";
import { conformanceChecks, openConformance } from "@teleportal/sync-core/conformance";
import { findRedis, requireBroker } from "@teleportal/test-brokers";
import { createTarget } from "./redis-target.ts";

const redis = requireBroker("Redis", findRedis());
const conformance = redis.skip ? undefined : await openConformance(await createTarget());

describe.skipIf(redis.skip)(`sync-redis conforms on a ${redis.title}`, () => {
  for (const check of conformance?.checks ?? conformanceChecks) {
    it(`${check.id}: ${check.title}`, () => conformance?.run(check), conformance?.timeout);
  }
  afterAll(() => conformance?.close());
});
