import { createReferenceBroker } from "./reference-broker.ts";
import { referenceTarget } from "./reference-target.ts";

export const target = referenceTarget(createReferenceBroker());
