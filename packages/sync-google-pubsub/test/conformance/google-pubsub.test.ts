import { afterAll, describe, it } from "vitest";
import { conformanceChecks, openConformance } from "@teleportal/sync-core/conformance";
import { findGooglePubsub, requireBroker } from "@teleportal/test-brokers";
import { createTarget } from "./google-pubsub-target.ts";

const pubsub = requireBroker("Google Pub/Sub emulator", findGooglePubsub());
const conformance = pubsub.skip ? undefined : await openConformance(await createTarget());

describe.skipIf(pubsub.skip)(`sync-google-pubsub conforms on a ${pubsub.title}`, () => {
  for (const check of conformance?.checks ?? conformanceChecks) {
    it(`${check.id}: ${check.title}`, () => conformance?.run(check), conformance?.timeout);
  }
  afterAll(() => conformance?.close());
});
