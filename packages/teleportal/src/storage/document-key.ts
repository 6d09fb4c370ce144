import { SyncError } from "@teleportal/sync-core";

/**
 * The name under which a document is kept: the SHA-256 of the UTF-8 of its id, as 64 lower-case hex digits, so
 * `printf %s my-document | sha256sum` finds it. An id may be long, differ from another in case alone, or hold what
 * file systems and unstorage read as structure (`/`, `\`, `:`, `?`, `..`); a digest has none of it, and none is the
 * beginning of another.
 *
 * @throws SyncError as `assertWellFormed` does
 */
export async function documentKey(documentId: string): Promise<string> {
  assertWellFormed(documentId);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(documentId));
  return hexOf(new Uint8Array(digest));
}

/**
 * The same, and the keys of the documents that were last asked for are kept: a digest takes a thread of its own, and
 * each keystroke needs one.
 */
export function createDocumentKeys(): typeof documentKey {
  const kept = new Map<string, Promise<string>>();

  return (documentId) => {
    let key = kept.get(documentId);
    if (key !== undefined) return key;
    key = documentKey(documentId);
    kept.set(documentId, key);
    if (kept.size > KEPT_KEYS) {
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    }
    return key;
  };
}

/** About 4 MB with ids of usual length. */
const KEPT_KEYS = 10_000;

/** @throws SyncError if the id is not well-formed UTF-16: all lone surrogates have the same UTF-8, so two such would become one. */
export function assertWellFormed(documentId: string): void {
  if (documentId.isWellFormed()) return;
  throw new SyncError(
    "teleportal",
    `the document id ${JSON.stringify(documentId)} is not well-formed Unicode`,
    "use an id without lone surrogates",
  );
}

/** Two lower-case digits per byte. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
