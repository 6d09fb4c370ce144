import process from "node:process";
import { BrokerError } from "./broker-error.ts";
import type { BrokerAvailability } from "./find-executable.ts";

/** What a test suite does about a broker: run, or be shown as skipped. */
export type BrokerRequirement =
  | { readonly skip: false; readonly title: string }
  | { readonly skip: true; readonly title: string };

/**
 * Decides for a suite that needs `name`. Its title says why it is skipped, so that the report does.
 *
 * @throws BrokerError if the broker is missing and `REQUIRE_BROKERS=1`: in CI a missing broker is a failure.
 */
export function requireBroker(name: string, found: BrokerAvailability): BrokerRequirement {
  if (found.available) return { skip: false, title: `real ${name}` };
  if (process.env["REQUIRE_BROKERS"] === "1") {
    throw new BrokerError(`there is no ${name} and REQUIRE_BROKERS=1`, found.help);
  }
  return { skip: true, title: `real ${name} (skipped: ${found.help})` };
}
