/** Work in steps of a few milliseconds: yields after each. */
export type Steps<Result> = Generator<void, Result>;

/**
 * Does what takes long one job after the other and one step at a time, and lets the event loop turn in between, so that
 * no keystroke waits for more than a step.
 */
export class BackgroundWork {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves with what `steps` returns; rejects with what it throws. It is begun when the jobs before it are done. */
  run<Result>(steps: Steps<Result>): Promise<Result> {
    const done = this.#last.then(() => finish(steps));
    this.#last = done.catch(() => {});
    return done;
  }
}

async function finish<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0));
}
