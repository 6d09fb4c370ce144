export type { DocumentStorage } from "./document-storage.ts";
export { createFileDocumentStorage } from "./file-document-storage.ts";
export type { FileDocumentStorage, FileDocumentStorageOptions } from "./file-document-storage.ts";
export { createKeyValueDocumentStorage } from "./key-value-document-storage.ts";
export type {
  KeyValueDocumentStorageOptions,
  KeyValueEntry,
  KeyValueStore,
} from "./key-value-document-storage.ts";
export { createMemoryDocumentStorage } from "./memory-document-storage.ts";
export type { MemoryDocumentStorageOptions } from "./memory-document-storage.ts";
export { createUnstorageDocumentStorage } from "./unstorage-document-storage.ts";
export type {
  UnstorageDocumentStorageOptions,
  UnstorageLike,
} from "./unstorage-document-storage.ts";
