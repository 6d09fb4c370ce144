/** Delays that double from `first` to `most`, until reset. */
export interface Backoff {
  /** How many delays were taken since the last reset. */
  steps(): number;
  next(): number;
  reset(): void;
}

export function createBackoff(first: number, most: number): Backoff {
  let steps = 0;
  return {
    steps: () => steps,
    next() {
      const delay = Math.min(first * 2 ** steps, most);
      steps += 1;
      return delay;
    },
    reset() {
      steps = 0;
    },
  };
}
