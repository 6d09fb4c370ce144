/** Everything that happens by chance in a simulation, drawn from one seed. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** In [from, to). */
  between(from: number, to: number): number;
  /** A whole number in [from, to], both included. */
  integer(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<Choice>(choices: readonly [Choice, ...Choice[]]): Choice;
  /** One that goes its own way: what its owner draws changes nothing for anybody else. */
  fork(): Random;
}

/** Mulberry32 by Tommy Ettinger (public domain): 32 bits of state are plenty for one scenario. */
export function createRandom(seed: number): Random {
  let state = seed | 0;

  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  const random: Random = {
    next,
    between: (from, to) => from + next() * (to - from),
    integer: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: (probability) => next() < probability,
    pick: (choices) => choices[Math.floor(next() * choices.length)] ?? choices[0],
    // Mixed once more: a child seeded with a parent's plain output would walk the parent's own sequence.
    fork: () =>
      createRandom(Math.imul(Math.floor(next() * 0x1_0000_0000) ^ 0x5bd1e995, 0x85ebca6b)),
  };
  return random;
}
