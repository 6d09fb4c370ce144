import type { DocumentStorage } from "./document-storage.ts";
import { createKeyValueDocumentStorage } from "./key-value-document-storage.ts";

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
  const documents = new Map<string, Map<string, Uint8Array>>();

  return createKeyValueDocumentStorage(
    {
      async list(documentKey) {
        return Array.from(documents.get(documentKey) ?? [], ([key, value]) => ({ key, value }));
      },

      async put(entries) {
        for (const { key, value } of entries) {
          const document = documentOf(key);
          const stored = documents.get(document) ?? new Map<string, Uint8Array>();
          documents.set(document, stored.set(key, value));
        }
      },

      async delete(keys) {
        for (const key of keys) {
          documents.get(documentOf(key))?.delete(key);
        }
      },
    },
    { shared: options.shared ?? false },
  );
}

function documentOf(key: string): string {
  return key.slice(0, key.indexOf(":"));
}
