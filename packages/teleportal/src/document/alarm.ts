/** Calls back at a time that is put off again and again, without a new timer each time. */
export class Alarm {
  readonly #ring: () => void;
  #due: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** When to call next, on the clock of `performance.now()`; `undefined`: not any more. Replaces what was set before. */
  set(time: number | undefined): void {
    this.#due = time;
    if (time === undefined || (this.#timer !== undefined && this.#timerAt <= time)) return;
    this.#arm(time);
  }

  cancel(): void {
    this.#due = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(time: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = time;
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, time - performance.now()));
  }

  #onTimer(): void {
    this.#timer = undefined;
    if (this.#due === undefined) return;
    // It was put off since.
    if (this.#due > this.#timerAt) {
      this.#arm(this.#due);
      return;
    }
    this.#due = undefined;
    this.#ring();
  }
}
