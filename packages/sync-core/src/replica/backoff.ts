/** Delays that double from `first` to `most`, until reset. */
export class Backoff {
  readonly #first: number;
  readonly #most: number;
  #steps = 0;

  constructor(first: number, most: number) {
    this.#first = first;
    this.#most = most;
  }

  /** How many delays were taken since the last reset. */
  get steps(): number {
    return this.#steps;
  }

  next(): number {
    const delay = Math.min(this.#first * 2 ** this.#steps, this.#most);
    this.#steps += 1;
    return delay;
  }

  reset(): void {
    this.#steps = 0;
  }
}
