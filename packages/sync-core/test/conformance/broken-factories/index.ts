import { deliveryMistakes } from "./delivery.ts";
import { echoMistakes } from "./echo.ts";
import { isolationMistakes } from "./isolation.ts";
import { payloadMistakes } from "./payload.ts";
import { lifecycleMistakes } from "./lifecycle.ts";
import { errorsMistakes } from "./errors.ts";
import { recoveryMistakes } from "./recovery.ts";
import { convergenceMistakes } from "./convergence.ts";
import { loadMistakes } from "./load.ts";
import { memoryMistakes } from "./memory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

/** Each with one mistake, by what it is about. */
export const brokenFactories: readonly BrokenFactory[] = [
  ...deliveryMistakes,
  ...echoMistakes,
  ...isolationMistakes,
  ...payloadMistakes,
  ...lifecycleMistakes,
  ...errorsMistakes,
  ...recoveryMistakes,
  ...convergenceMistakes,
  ...loadMistakes,
  ...memoryMistakes,
];
