/** The bytes are no update in Yjs's V1 format, or no client of Yjs 13 could apply them. */
export class MalformedUpdateError extends Error {
  override readonly name = "MalformedUpdateError";
}
