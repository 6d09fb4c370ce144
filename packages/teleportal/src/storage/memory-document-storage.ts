import { assertWellFormed } from "./document-key.ts";
import type { DocumentStorage } from "./document-storage.ts";
import { UpdateList } from "../yjs-v1/update-list.ts";

/** How a memory storage is used. */
export interface MemoryDocumentStorageOptions {
  /**
   * Say true when all servers of the documents are handed this very object: then each edit is kept once. With an
   * object for each server, each keeps everything it holds, its peers' edits too.
   * @default false
   */
  readonly shared?: boolean;
}

/**
 * Keeps documents in this object, so as long as the process lives. For development and tests. Servers of one process
 * that are handed the same object use the same documents.
 */
export function createMemoryDocumentStorage(
  options: MemoryDocumentStorageOptions = {},
): DocumentStorage {
  const documents = new Map<string, UpdateList>();

  function storedOf(documentId: string): UpdateList | undefined {
    assertWellFormed(documentId);
    return documents.get(documentId);
  }

  return {
    shared: options.shared ?? false,

    async load(documentId) {
      return storedOf(documentId)?.copies() ?? [];
    },

    async append(documentId, updates) {
      const stored = storedOf(documentId) ?? new UpdateList();
      for (const update of updates) stored.push(update);
      if (stored.count > 0) documents.set(documentId, stored);
    },

    async compact(documentId, merge) {
      const read = storedOf(documentId);
      if (read === undefined) return;
      const { count } = read;
      const compacted = new UpdateList();
      for (const update of await merge(read.copies())) compacted.push(update);
      // Others may have appended meanwhile, or compacted: then what they have made stays as well.
      const stored = documents.get(documentId);
      for (const update of stored?.copies(stored === read ? count : 0) ?? [])
        compacted.push(update);
      documents.set(documentId, compacted);
    },
  };
}
