/**
 * The one shape of every error these packages throw: `[package] what failed: what to do`, with the `cause` kept.
 */
export class SyncError extends Error {
  override readonly name = "SyncError";

  constructor(packageName: string, failure: string, remedy: string, cause?: unknown) {
    super(`[${packageName}] ${failure}: ${remedy}`, cause === undefined ? undefined : { cause });
  }
}

/** An unknown thrown value as the end of a log line. */
export function describeCause(cause: unknown): string {
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
