import { expect, test } from "vitest";
import { fuzzRound, targetOf, TARGETS } from "./fuzz-rounds.ts";

const FIRST = 1;
const ROUNDS_EACH = 3;

// `npm run fuzz` goes on for as long as you like; `npm run fuzz -- --seed N` is one of these.
test.each(Array.from({ length: ROUNDS_EACH * TARGETS.length }, (_, index) => FIRST + index))(
  "broken bytes do nothing to anybody else (seed %i)",
  { timeout: 120_000 },
  async (seed) => {
    await expect(fuzzRound(seed), targetOf(seed)).resolves.toBeUndefined();
  },
);
