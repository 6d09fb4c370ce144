import type { RoundTrips } from "../contract/status.ts";

/** Upper bounds, in milliseconds. */
const BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** A histogram of how long messages took to the broker and back. */
export class RoundTripHistogram implements RoundTrips {
  readonly #counts = BOUNDS.map(() => 0);
  count = 0;
  sum = 0;
  latest: number | undefined;

  add(milliseconds: number): void {
    this.count += 1;
    this.sum += milliseconds;
    this.latest = milliseconds;
    const index = BOUNDS.findIndex((bound) => milliseconds <= bound);
    if (index !== -1) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  get buckets(): RoundTrips["buckets"] {
    let count = 0;
    return BOUNDS.map((atMost, index) => {
      count += this.#counts[index] ?? 0;
      return { atMost, count };
    });
  }
}
