import { assertWellFormed } from "./document-key.ts";
import type { DocumentStorage } from "./document-storage.ts";

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
  const documents = new Map<string, Uint8Array[]>();

  function updatesOf(documentId: string): Uint8Array[] {
    assertWellFormed(documentId);
    return documents.get(documentId) ?? [];
  }

  return {
    shared: options.shared ?? false,

    async load(documentId) {
      return updatesOf(documentId).map(copy);
    },

    async append(documentId, updates) {
      const stored = updatesOf(documentId);
      for (const update of updates) stored.push(copy(update));
      if (stored.length > 0) documents.set(documentId, stored);
    },

    async compact(documentId, merge) {
      const read = [...updatesOf(documentId)];
      if (read.length === 0) return;
      const merged = await merge(read.map(copy));
      // Others may have appended, or compacted, meanwhile.
      const replaced = new Set(read);
      const others = updatesOf(documentId).filter((update) => !replaced.has(update));
      documents.set(documentId, [...merged.map(copy), ...others]);
    },
  };
}

function copy(update: Uint8Array): Uint8Array {
  return new Uint8Array(update);
}
