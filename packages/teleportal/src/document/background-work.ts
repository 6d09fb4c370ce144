/** Work in steps of a few milliseconds: yields after each. */
export type Steps<Result> = Generator<void, Result>;

/** All steps at once. */
export function finishSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** So long it works without a turn of the event loop, in milliseconds: many small jobs need not wait for one each. */
const SLICE = 3;

/**
 * Does what takes long one job after the other, a few milliseconds at a time, and lets the event loop turn in between, so
 * that no keystroke waits for long.
 */
export class BackgroundWork {
  #last: Promise<unknown> = Promise.resolve();
  #turnedAt = Number.NEGATIVE_INFINITY;

  /** Resolves with what `steps` returns; rejects with what it throws. It is begun when the jobs before it are done. */
  run<Result>(steps: Steps<Result>): Promise<Result> {
    const done = this.#last.then(() => this.#finish(steps));
    this.#last = done.catch(() => {});
    return done;
  }

  async #finish<Result>(steps: Steps<Result>): Promise<Result> {
    for (;;) {
      // Before the first step too: jobs of a single step follow each other without a turn otherwise.
      if (performance.now() - this.#turnedAt >= SLICE) {
        await turn();
        this.#turnedAt = performance.now();
      }
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0));
}
