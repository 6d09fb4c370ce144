import type { DriverCapabilities } from "@teleportal/sync-core";

/** What error messages and log lines call this package. */
export const NAME = "sync-redis";

/**
 * Larger envelopes go in parts: one big document then neither blocks the others on the connection, nor runs into
 * Redis's output-buffer limit for subscribers (32 MiB, or 8 MiB for a minute, unless configured lower).
 */
const MAX_PAYLOAD = 256 * 1024;

export const CAPABILITIES = {
  ordering: "channel",
  echo: "always",
  delivery: "at-most-once",
  recovery: "automatic",
  maxPayload: MAX_PAYLOAD,
} as const satisfies DriverCapabilities;

/** How many commands or channels go out before their answers are waited for, when subscriptions are restored. */
export const RESTORE_GROUP = 500;
