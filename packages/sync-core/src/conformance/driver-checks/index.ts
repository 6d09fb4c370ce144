import type { DriverCheck } from "../check.ts";
import { binaryChecks } from "./binary.ts";
import { deliveryChecks } from "./delivery.ts";
import { echoChecks } from "./echo.ts";
import { isolationChecks } from "./isolation.ts";
import { lifecycleChecks } from "./lifecycle.ts";
import { loadChecks } from "./load.ts";
import { memoryChecks } from "./memory.ts";
import { orderingChecks } from "./ordering.ts";
import { payloadChecks } from "./payload.ts";
import { recoveryChecks } from "./recovery.ts";

/** What a broker adapter's driver does, in the order of a report. */
export const driverChecks: readonly DriverCheck[] = [
  ...deliveryChecks,
  ...echoChecks,
  ...isolationChecks,
  ...orderingChecks,
  ...binaryChecks,
  ...payloadChecks,
  ...lifecycleChecks,
  ...recoveryChecks,
  ...loadChecks,
  ...memoryChecks,
];
