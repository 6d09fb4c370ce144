import type { Logger } from "@teleportal/sync-core";

/** A logger, and the lines it was given, of whatever level. */
export function createLog(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  return { lines, logger: { trace: keep, debug: keep, info: keep, warn: keep, error: keep } };
}
