const timers = new Set<ReturnType<typeof setInterval>>();

/** Leaves a timer running, as a careless adapter does. */
export function leaveRunning(task: () => unknown): void {
  timers.add(setInterval(task, 1000));
}

/** Ends what was left running. */
export function endLeftRunning(): void {
  for (const timer of timers) clearInterval(timer);
  timers.clear();
}
