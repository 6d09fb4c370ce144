import type { FactoryCheck } from "../check.ts";
import { convergenceChecks } from "./convergence.ts";
import { deliveryChecks } from "./delivery.ts";
import { echoChecks } from "./echo.ts";
import { errorChecks } from "./errors.ts";
import { isolationChecks } from "./isolation.ts";
import { lifecycleChecks } from "./lifecycle.ts";
import { loadChecks } from "./load.ts";
import { memoryChecks } from "./memory.ts";
import { orderingChecks } from "./ordering.ts";
import { payloadChecks } from "./payload.ts";
import { recoveryChecks } from "./recovery.ts";

/** What a transport factory does, whatever it is made of, in the order of a report. */
export const factoryChecks: readonly FactoryCheck[] = [
  ...deliveryChecks,
  ...echoChecks,
  ...isolationChecks,
  ...orderingChecks,
  ...payloadChecks,
  ...lifecycleChecks,
  ...errorChecks,
  ...recoveryChecks,
  ...convergenceChecks,
  ...loadChecks,
  ...memoryChecks,
];
