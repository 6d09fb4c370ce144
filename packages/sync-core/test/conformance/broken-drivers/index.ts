import { deliveryMistakes } from "./delivery.ts";
import { echoMistakes } from "./echo.ts";
import { isolationMistakes } from "./isolation.ts";
import { binaryMistakes } from "./binary.ts";
import { payloadMistakes } from "./payload.ts";
import { lifecycleMistakes } from "./lifecycle.ts";
import { recoveryMistakes } from "./recovery.ts";
import { loadMistakes } from "./load.ts";
import { memoryMistakes } from "./memory.ts";
import type { BrokenDriver } from "./broken-driver.ts";

/** Each with one mistake, by what it is about. */
export const brokenDrivers: readonly BrokenDriver[] = [
  ...deliveryMistakes,
  ...echoMistakes,
  ...isolationMistakes,
  ...binaryMistakes,
  ...payloadMistakes,
  ...lifecycleMistakes,
  ...recoveryMistakes,
  ...loadMistakes,
  ...memoryMistakes,
];
