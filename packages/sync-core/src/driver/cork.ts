/** A connection that can hold back what is written to it, as every `net.Socket` can. */
export interface Corkable {
  cork(): void;
  uncork(): void;
  /** How often it was corked and not uncorked yet. */
  readonly writableCorked: number;
}

/**
 * Holds back what is written to a connection until the running task is over: what the many documents of an instance
 * send in one turn of the event loop becomes one system call, which is what a small message costs most.
 */
export function corkForTask(stream: Corkable): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  queueMicrotask(() => stream.uncork());
}
