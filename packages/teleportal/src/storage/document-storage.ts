/**
 * Where the server keeps documents between openings; given per connection by `getStorage`. The server calls `load`
 * when a document is opened, `append` while it is edited, `compact` now and then and when it is closed. For one document it
 * makes one `append` at a time and one `compact` at a time, the two side by side; other instances may do the same.
 *
 * What is stored is Yjs updates (V1), most of them of at most 48 KiB. They are idempotent and commute, so an implementation may return one twice, or
 * in any order; it MUST NOT lose one whose `append` has resolved.
 */
export interface DocumentStorage {
  /**
   * Whether several instances use the same data. If so, only the instance that took an edit appends it; else each
   * instance appends everything it holds.
   */
  readonly shared: boolean;
  /** All that is stored for the document; empty for one that is new. */
  load(documentId: string): Promise<readonly Uint8Array[]>;
  /**
   * Adds updates. MUST resolve only when they would survive a crash of the process. If it rejects, the server appends the same
   * `Uint8Array` objects again, alone or with others: a storage that has stored some of them can tell them by that.
   */
  append(documentId: string, updates: readonly Uint8Array[]): Promise<void>;
  /**
   * Reads what is stored, and puts what `merge` makes of it in its place: what is appended meanwhile MUST stay, best after
   * it. A crash on the way MUST NOT lose anything; leaving both, the merged updates and their sources, is fine. Best kept in
   * the order in which they are given. Rejects with what `merge` threw, nothing changed.
   */
  compact(
    documentId: string,
    merge: (updates: readonly Uint8Array[]) => Promise<readonly Uint8Array[]>,
  ): Promise<void>;
}
