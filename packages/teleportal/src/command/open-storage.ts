import type { DocumentStorage } from "../storage/document-storage.ts";
import { createFileDocumentStorage } from "../storage/file-document-storage.ts";
import { createMemoryDocumentStorage } from "../storage/memory-document-storage.ts";
import { UsageError } from "./usage-error.ts";

export interface OpenedStorage {
  readonly storage: DocumentStorage;
  close(): Promise<void>;
}

/** @throws UsageError for anything but `memory` and `file:DIR`; SyncError for a directory that cannot be used. */
export async function openStorage(name: string): Promise<OpenedStorage> {
  if (name === "memory" || name === "memory:") {
    return { storage: createMemoryDocumentStorage(), close: () => Promise.resolve() };
  }
  const directory = /^file:(?:\/\/(?=\/))?(.+)$/.exec(name)?.[1];
  if (directory === undefined) {
    throw new UsageError(`--storage: unknown storage "${name}"; use memory, or file:DIRECTORY`);
  }
  const storage = createFileDocumentStorage(directory);
  await storage.open();
  return { storage, close: () => storage.close() };
}
