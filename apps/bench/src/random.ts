import * as prng from "lib0/prng";

/** Numbers from 0 to below 1, the same ones for the same seed. */
export function createRandom(seed: number): () => number {
  const generator = prng.create(seed);
  return () => prng.real53(generator);
}
