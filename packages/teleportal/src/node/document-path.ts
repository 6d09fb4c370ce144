/** What a request's path means: a document, none of ours, or nothing that can be served. */
export type DocumentPath =
  | { readonly type: "document"; readonly documentId: string }
  | { readonly type: "elsewhere" }
  | { readonly type: "invalid"; readonly reason: string };

/** The most UTF-16 code units a document id may have; brokers and storages take at least that. */
const MAX_LENGTH = 4096;

/**
 * The document id in a URL path: what follows `base`, percent-decoded, without query. `/doc123` is `doc123`,
 * `/room1/doc456` is `room1/doc456`.
 */
export function documentIdOf(url: string, base: string): DocumentPath {
  const path = url.split("?", 1)[0] ?? "";
  const prefix = base.endsWith("/") ? base : `${base}/`;
  if (!path.startsWith(prefix)) return { type: "elsewhere" };
  let documentId: string;
  try {
    documentId = decodeURIComponent(path.slice(prefix.length));
  } catch {
    return { type: "invalid", reason: "the path is not percent-encoded UTF-8" };
  }
  if (documentId === "") return { type: "invalid", reason: "the path names no document" };
  if (documentId.includes("\0")) return { type: "invalid", reason: "the path contains NUL" };
  if (documentId.length > MAX_LENGTH) {
    return { type: "invalid", reason: `the path has more than ${MAX_LENGTH} characters` };
  }
  return { type: "document", documentId };
}
