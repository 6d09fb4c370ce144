import { createMemoryDocumentStorage } from "teleportal/storage";
import type { DocumentStorage } from "teleportal/storage";

/** A storage in memory that says what it was handed to keep. */
export interface MeasuredStorage extends DocumentStorage {
  /** Bytes of all updates that `append` was called with, the refused ones among them. */
  readonly handedBytes: number;
  readonly appends: number;
}

export interface MeasuredStorageOptions {
  /**
   * `append` rejects if one of its updates is larger, in bytes, as a database does that limits its values.
   * @default everything is taken
   */
  readonly largestValue?: number;
}

export function createMeasuredStorage(options: MeasuredStorageOptions = {}): MeasuredStorage {
  const { largestValue = Number.POSITIVE_INFINITY } = options;
  const storage = createMemoryDocumentStorage();
  const handed = { bytes: 0, appends: 0 };
  return {
    shared: storage.shared,
    load: storage.load,
    compact: storage.compact,
    async append(documentId, updates) {
      handed.appends += 1;
      for (const { length } of updates) handed.bytes += length;
      const large = updates.find(({ length }) => length > largestValue);
      if (large !== undefined) throw new Error(`a value of ${large.length} bytes is too large`);
      await storage.append(documentId, updates);
    },
    get handedBytes() {
      return handed.bytes;
    },
    get appends() {
      return handed.appends;
    },
  };
}
