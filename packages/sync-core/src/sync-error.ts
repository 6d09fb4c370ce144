/**
 * The one shape of every error these packages throw: `[package] what failed: what to do`, with the `cause` kept.
 */
export class SyncError extends Error {
  override readonly name = "SyncError";

  constructor(packageName: string, failure: string, remedy: string, cause?: unknown) {
    super(`[${packageName}] ${failure}: ${remedy}`, cause === undefined ? undefined : { cause });
  }
}

/** An unknown thrown value as part of a log line, which names the package itself. */
export function describeCause(cause: unknown): string {
  if (cause instanceof SyncError) return cause.message.replace(/^\[[^\]]*\] /, "");
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
