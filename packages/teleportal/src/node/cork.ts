/** A connection that can hold back what is written to it, as every `net.Socket` can. */
export interface Corkable {
  cork(): void;
  uncork(): void;
  /** How often it was corked and not uncorked yet. */
  readonly writableCorked: number;
}

/** Those that were written to in the running task. */
const touched = new Set<Corkable>();

/**
 * To be called before each write to a connection: the first of a task goes out at once, and what follows it in the
 * same task is held back until the task is over. What a burst sends becomes two system calls, which are what a small
 * message costs most, and a single keystroke waits for nothing.
 */
export function corkForTask(stream: Corkable): void {
  if (touched.has(stream)) {
    if (stream.writableCorked === 0) stream.cork();
    return;
  }
  if (touched.size === 0) queueMicrotask(release);
  touched.add(stream);
}

function release(): void {
  for (const stream of touched) stream.uncork();
  touched.clear();
}
