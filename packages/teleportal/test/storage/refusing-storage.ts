import { createMemoryDocumentStorage } from "teleportal/storage";
import type { DocumentStorage } from "teleportal/storage";
import * as Y from "yjs";

/** A storage in memory that refuses an `append` for what is in it, and remembers what it was handed. */
export interface RefusingStorage extends DocumentStorage {
  /** The records of each `append`, the refused ones among them: the very objects. */
  readonly handed: (readonly Uint8Array[])[];
  /** Whether it refuses an `append` with this record; it may be replaced at any time. */
  refuses: (record: Uint8Array) => boolean;
  /** The text that a server would load. */
  storedText(documentId: string): Promise<string>;
}

export function createRefusingStorage(): RefusingStorage {
  const storage = createMemoryDocumentStorage();
  const refusing: RefusingStorage = {
    ...storage,
    handed: [],
    refuses: () => false,
    async append(documentId, records) {
      refusing.handed.push([...records]);
      const refused = records.find((record) => refusing.refuses(record));
      if (refused !== undefined) throw new Error(`${refused.length} bytes are refused`);
      await storage.append(documentId, records);
    },
    async storedText(documentId) {
      const doc = new Y.Doc();
      for (const record of await storage.load(documentId)) Y.applyUpdate(doc, record);
      return doc.getText("text").toString();
    },
  };
  return refusing;
}
