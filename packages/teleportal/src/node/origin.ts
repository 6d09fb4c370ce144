import { SyncError } from "@teleportal/sync-core";

/**
 * An origin as a browser writes it in its header (RFC 6454, section 6.2).
 *
 * @throws SyncError for what is none: it would refuse everybody
 */
export function parseOrigin(value: string): string {
  const origin = URL.canParse(value) ? new URL(value).origin : "null";
  if (origin !== "null" && value.replace(/\/$/, "").toLowerCase() === origin) return origin;
  throw new SyncError(
    "teleportal",
    `the allowed origin ${JSON.stringify(value)} is none`,
    "write it as https://app.example, with its port if it has one and without a path",
  );
}
