/** Calls back at a time that is put off again and again, without a new timer each time. */
export interface Alarm {
  /** When to call next, on the clock of `performance.now()`; `undefined`: not any more. Replaces what was set before. */
  set(time: number | undefined): void;
  cancel(): void;
}

export function createAlarm(ring: () => void): Alarm {
  let due: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAt = 0;

  function arm(time: number): void {
    clearTimeout(timer);
    timerAt = time;
    timer = setTimeout(onTimer, Math.max(0, time - performance.now()));
  }

  function onTimer(): void {
    timer = undefined;
    if (due === undefined) return;
    // It was put off since.
    if (due > timerAt) {
      arm(due);
      return;
    }
    due = undefined;
    ring();
  }

  return {
    set(time) {
      due = time;
      if (time === undefined || (timer !== undefined && timerAt <= time)) return;
      arm(time);
    },
    cancel() {
      due = undefined;
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
