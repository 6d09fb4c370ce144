import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStorage } from "unstorage";
import type { Driver } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import fsLiteDriver from "unstorage/drivers/fs-lite";
import memoryDriver from "unstorage/drivers/memory";
import {
  createFileDocumentStorage,
  createKeyValueDocumentStorage,
  createMemoryDocumentStorage,
  createUnstorageDocumentStorage,
} from "../../src/storage/index.ts";
import type { DocumentStorage, KeyValueStore } from "../../src/storage/index.ts";

/** Two instances' storages over the same data. For those that one object serves, both are that object. */
export interface OpenedStorages {
  readonly first: DocumentStorage;
  readonly second: DocumentStorage;
  close(): Promise<void>;
}

/** A kind of storage, opened on new data each time. */
export interface StorageKind {
  readonly name: string;
  open(): Promise<OpenedStorages>;
}

/** A store to wrap, or to look into. */
export function createMapStore(): KeyValueStore & { readonly entries: Map<string, Uint8Array> } {
  const entries = new Map<string, Uint8Array>();
  return {
    entries,
    async list(documentKey) {
      return Array.from(entries, ([key, value]) => ({ key, value }))
        .filter(({ key }) => key.startsWith(`${documentKey}:`))
        .toReversed();
    },
    async put(added) {
      for (const { key, value } of added) {
        entries.set(key, value);
      }
    },
    async delete(keys) {
      for (const key of keys) {
        entries.delete(key);
      }
    },
  };
}

export async function createTemporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "teleportal-storage-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

function unstorageKind(name: string, createDriver: (folder: string) => Driver): StorageKind {
  return {
    name: `unstorage, ${name}`,
    async open() {
      const folder = await createTemporaryFolder();
      const driver = createDriver(folder.path);
      const [first, second] = [createStorage({ driver }), createStorage({ driver })];
      return {
        first: createUnstorageDocumentStorage(first, { shared: true }),
        second: createUnstorageDocumentStorage(second, { shared: true }),
        close: folder.remove,
      };
    },
  };
}

export const storageKinds: readonly StorageKind[] = [
  {
    name: "memory",
    async open() {
      const storage = createMemoryDocumentStorage();
      return { first: storage, second: storage, close: async () => {} };
    },
  },
  {
    name: "key-value store",
    async open() {
      const store = createMapStore();
      return {
        first: createKeyValueDocumentStorage(store, { shared: true }),
        second: createKeyValueDocumentStorage(store, { shared: true }),
        close: async () => {},
      };
    },
  },
  {
    name: "file",
    async open() {
      const folder = await createTemporaryFolder();
      const storage = createFileDocumentStorage(folder.path);
      return {
        first: storage,
        second: storage,
        async close() {
          await storage.close();
          await folder.remove();
        },
      };
    },
  },
  unstorageKind("memory driver", () => memoryDriver()),
  unstorageKind("fs driver", (base) => fsDriver({ base })),
  unstorageKind("fs-lite driver", (base) => fsLiteDriver({ base })),
];
