import { createHash } from "node:crypto";
import { SyncError } from "@teleportal/sync-core";

/** The subject of each channel: one to one, literal, and readable where the channel's name is. */
export interface Subjects {
  of(channel: string): string;
}

/**
 * In bytes. A protocol line may have 4096 (`max_control_line` of the server), with the subject in it and more; an
 * operator may have set less.
 */
export const MAX_SUBJECT_LENGTH = 1024;

/** In bytes: what leaves room for ids that are not hashed. */
const MAX_PREFIX_LENGTH = 512;

/**
 * Letters, digits and `-_!~'():/@` stay as they are, so `teleportal:sync:room1/doc456` does. Everything else is
 * percent-encoded UTF-8 (RFC 3986): `decodeURIComponent` gives the channel back. So no id can have a wildcard in it
 * (`*`, `>`), a token too many (`.`), white space, or the server's own `$`. Only the prefix keeps its dots, where they
 * part tokens: permissions name whole tokens, `app.sync.*` for a prefix of `app.sync.`.
 *
 * A subject that would be too long is a SHA-256 of the channel instead, behind the prefix and `%sha256:`. No
 * percent-encoding has `%s`, so it is never another channel's.
 *
 * @throws SyncError for a prefix that is too long, or has half a surrogate pair.
 */
export function createSubjects(keyPrefix: string): Subjects {
  if (!keyPrefix.isWellFormed()) {
    throw new SyncError("sync-nats", "`keyPrefix` has half a surrogate pair", "use whole text");
  }
  const prefix = encodePrefix(keyPrefix);
  if (prefix.length > MAX_PREFIX_LENGTH) {
    throw new SyncError(
      "sync-nats",
      `\`keyPrefix\` takes ${prefix.length} bytes of a subject`,
      `use at most ${MAX_PREFIX_LENGTH}`,
    );
  }
  return {
    of(channel) {
      // A channel without the prefix is none of the transport's, and gets no token of the prefix either.
      if (!channel.startsWith(keyPrefix)) return limited("", encode(channel), channel);
      const id = channel.slice(keyPrefix.length);
      // A subject must not end in a dot.
      const start = id === "" ? encode(keyPrefix) : prefix;
      return limited(start, start + encode(id), channel);
    },
  };
}

function limited(prefix: string, subject: string, channel: string): string {
  if (subject.length <= MAX_SUBJECT_LENGTH) return subject;
  return `${prefix}%sha256:${createHash("sha256").update(channel).digest("base64url")}`;
}

/** What `encodeURIComponent` leaves alone and NATS does not. */
const RESERVED = /[.*]/g;

/** What NATS takes as it is, so that names stay readable. */
const HARMLESS = /%(?:3A|2F|40)/g;

function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(HARMLESS, (escape) => decodeURIComponent(escape))
    .replace(RESERVED, (character) => (character === "." ? "%2E" : "%2A"));
}

/** A dot that would leave a token empty is encoded as any other reserved character. */
function encodePrefix(keyPrefix: string): string {
  let encoded = "";
  for (const [i, token] of keyPrefix.split(".").entries()) {
    if (i > 0) encoded += encoded === "" || encoded.endsWith(".") ? "%2E" : ".";
    encoded += encode(token);
  }
  return encoded;
}
