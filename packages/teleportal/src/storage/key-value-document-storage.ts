import { describeCause, SyncError } from "@teleportal/sync-core";
import { createDocumentKeys } from "./document-key.ts";
import type { DocumentStorage } from "./document-storage.ts";
import { createEntryNames, entryLength } from "./entry-key.ts";

/** One stored update. */
export interface KeyValueEntry {
  /**
   * `<document key>:<name>`: 64 lower-case hex digits, a colon, then at most 60 of `0-9a-f-`. In the order of writing for
   * one storage object. Put again only after a `put` that has rejected, and with the same value.
   */
  readonly key: string;
  readonly value: Uint8Array;
}

/** What a database must do to keep documents. Any method may reject; the storage's caller then learns the cause. */
export interface KeyValueStore {
  /**
   * All entries whose key begins with `<documentKey>:`, in any order. An entry whose `put` had resolved when the call
   * was made MUST be among them, unless it was deleted; if it is deleted during the call, whatever was put before that
   * deletion MUST be among them. (One query, or one snapshot, does both.)
   */
  list(documentKey: string): Promise<readonly KeyValueEntry[]>;
  /**
   * Adds entries, which are the store's to keep. MUST resolve only when all would survive a crash of the process. May
   * have added some if it rejects, or a part of a value if the process crashes.
   */
  put(entries: readonly KeyValueEntry[]): Promise<void>;
  /** Removes exactly these keys, as `list` gave them. One that is gone already is no error. */
  delete(keys: readonly string[]): Promise<void>;
}

/** How a key-value store is used. */
export interface KeyValueDocumentStorageOptions {
  /** Whether several instances write to the same data: see `DocumentStorage.shared`. */
  readonly shared: boolean;
}

/**
 * Keeps documents in any key-value store. Each update becomes an entry under a key of its own, so writers never meet;
 * `compact` puts the merged updates first and then deletes exactly what it has read. A crash between the two leaves
 * both, which is harmless because Yjs updates are idempotent.
 *
 * Its methods reject with a `SyncError` whose cause is the store's own error (a `SyncError` of the store, or what
 * `merge` threw, comes as it is). Bytes are copied on the way in, when the method is called, and on the way out.
 */
export function createKeyValueDocumentStorage(
  store: KeyValueStore,
  { shared }: KeyValueDocumentStorageOptions,
): DocumentStorage {
  const createNames = createEntryNames();
  /** The names of updates whose `put` has rejected: it may have stored them, and appended again they stand there once. */
  const tried = new WeakMap<Uint8Array, string>();
  const documentKey = createDocumentKeys();

  async function read(document: string): Promise<KeyValueEntry[]> {
    const entries: KeyValueEntry[] = [];
    for (const { key, value } of await store.list(document)) {
      if (key.startsWith(`${document}:`) && entryLength(key) === value.byteLength) {
        entries.push({ key, value: new Uint8Array(value) });
      }
    }
    return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  return {
    shared,

    async load(documentId) {
      const document = await documentKey(documentId);
      try {
        return (await read(document)).map((entry) => entry.value);
      } catch (cause) {
        throw failed(`loading document ${quote(documentId)}`, "check the store", cause);
      }
    },

    async append(documentId, updates) {
      // Named and copied before the first await: in the order of the calls, and before the caller may reuse a buffer.
      const nextName = createNames();
      const named = updates.map((update) => ({
        name: tried.get(update) ?? nextName(update.byteLength),
        value: new Uint8Array(update),
      }));
      const document = await documentKey(documentId);
      if (named.length === 0) {
        return;
      }
      try {
        await store.put(named.map(({ name, value }) => ({ key: `${document}:${name}`, value })));
      } catch (cause) {
        for (const [index, update] of updates.entries())
          tried.set(update, named[index]?.name ?? "");
        throw failed(
          `appending to document ${quote(documentId)}`,
          "check the store and append the same updates again",
          cause,
        );
      }
    },

    async compact(documentId, merge) {
      // Taken before anything is read: what is appended until it is put stands after it.
      const nextName = createNames();
      const document = await documentKey(documentId);
      const compacting = `compacting document ${quote(documentId)}`;
      let entries: KeyValueEntry[];
      try {
        entries = await read(document);
      } catch (cause) {
        throw failed(compacting, "nothing was changed; check the store", cause);
      }
      if (entries.length === 0) {
        return;
      }
      const merged = await merge(entries.map((entry) => new Uint8Array(entry.value)));
      if (equalLists(entries, merged)) return;
      const compacted = merged.map((update) => ({
        key: `${document}:${nextName(update.byteLength)}`,
        value: new Uint8Array(update),
      }));
      try {
        await store.put(compacted);
        await store.delete(entries.map((entry) => entry.key));
      } catch (cause) {
        throw failed(
          compacting,
          "nothing is lost, at worst the document is stored twice; check the store",
          cause,
        );
      }
    },
  };
}

function failed(what: string, remedy: string, cause: unknown): SyncError {
  return cause instanceof SyncError
    ? cause
    : new SyncError("teleportal", `${what} failed (${describeCause(cause)})`, remedy, cause);
}

/** Fit for one line of a log. */
function quote(documentId: string): string {
  return JSON.stringify(documentId.length > 100 ? `${documentId.slice(0, 100)}…` : documentId);
}

function equalLists(entries: readonly KeyValueEntry[], updates: readonly Uint8Array[]): boolean {
  return (
    entries.length === updates.length &&
    // Most lists that differ differ in a length.
    entries.every(({ value }, index) => value.length === updates[index]?.length) &&
    entries.every(({ value }, index) => equalBytes(value, updates[index] ?? value))
  );
}

/** `every` would call a function for each byte of a large document. */
function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
