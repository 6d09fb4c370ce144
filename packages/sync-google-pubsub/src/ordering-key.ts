import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** Pub/Sub's limit is 1 KB. */
const MAX_BYTES = 1000;

/**
 * The ordering key of a channel, by which messages are also told apart where they arrive. It is the channel's name, so
 * that an operator can read it; what no protobuf string or console could carry is escaped as `%` and four hex digits,
 * and of a name that is too long the key is its SHA-256. No two channels have the same key: behind the first `%` of a
 * hash is another one, which no escaped name has.
 */
export function orderingKeyOf(channel: string): string {
  const escaped = channel.replaceAll(/[%\p{Cc}\p{Cs}]/gu, escape);
  if (Buffer.byteLength(escaped) <= MAX_BYTES) return escaped;
  return `%%${createHash("sha256").update(escaped).digest("base64url")}`;
}

function escape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
