import { SyncError } from "@teleportal/sync-core";
import { hexOf } from "./document-key.ts";
import type { DocumentStorage } from "./document-storage.ts";
import { entryLength } from "./entry-key.ts";
import { createKeyValueDocumentStorage } from "./key-value-document-storage.ts";
import type { KeyValueEntry } from "./key-value-document-storage.ts";

/** What is used of unstorage's `Storage`. */
export interface UnstorageLike {
  getKeys(base: string): Promise<readonly string[]>;
  getItemRaw(key: string): Promise<unknown>;
  setItemRaw(key: string, value: Uint8Array): Promise<void>;
  removeItem(key: string): Promise<void>;
}

/** How an unstorage is used. */
export interface UnstorageDocumentStorageOptions {
  /**
   * Whether several instances write to the same data: true for a database, false for a folder or memory of one's own.
   * Servers of one process that are handed the same unstorage are several instances, too.
   */
  readonly shared: boolean;
  /**
   * Stands in front of every key. Segments of letters, digits, `_`, `-` and dots inside, joined by `:` or `/`.
   * @default "teleportal"
   */
  readonly base?: string;
}

/** How many items are read, written or removed at once: bounds open files and requests. */
const CONCURRENCY = 16;
/** After how many attempts a document that others compact during each is given up. */
const MAX_PASSES = 20;

/**
 * Keeps documents in an unstorage (https://unstorage.unjs.io), one item per update, at
 * `<base>:<SHA-256 of the document id>:<update>`.
 *
 * What an `append` survives is up to the driver, which must list what it has stored at once and must not evict it: the
 * first append tries that out, and rejects if it is not so. Unfit are read-only and cache drivers, and with `shared`
 * those that are only eventually consistent (Cloudflare KV). The fs drivers do not wait for the disk, and read their
 * whole folder at each `load` and `compact`: `createFileDocumentStorage` is better at files.
 *
 * @throws SyncError if `base` is none that unstorage would keep as it is.
 */
export function createUnstorageDocumentStorage(
  storage: UnstorageLike,
  options: UnstorageDocumentStorageOptions,
): DocumentStorage {
  const { shared } = options;
  const base = normaliseBase(options.base ?? "teleportal");
  let trial: Promise<void> | undefined;

  /** The items whose key begins so, and that are whole; keys without the base. */
  async function read(prefix: string): Promise<KeyValueEntry[]> {
    const skipped = base.length + 1;
    const values = new Map<string, Uint8Array>();
    // Between listing and reading, and also during a listing that is no snapshot (readdir, Redis SCAN), another
    // instance may compact: what was listed is gone, and the merged update that holds it was not there yet. The first
    // shows in an item that is gone; the second does not, hence a second pass, which finds the merged update.
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      let vanished = false;
      const listed = (await storage.getKeys(`${base}:${prefix}`)).map((key) => key.slice(skipped));
      const unread = listed.filter(
        (key) => key.startsWith(prefix) && entryLength(key) !== undefined && !values.has(key),
      );
      await inBatches(unread, async (key) => {
        const value = bytesOf(await storage.getItemRaw(`${base}:${key}`), `${base}:${key}`);
        if (value === undefined) {
          vanished = true;
        } else if (entryLength(key) === value.byteLength) {
          // Others are read again in the next pass, as they may be about to be completed.
          values.set(key, value);
        }
      });
      if (!vanished && (pass > 1 || !shared)) {
        return Array.from(values, ([key, value]) => ({ key, value }));
      }
    }
    throw new SyncError(
      "teleportal",
      `items under ${base}:${prefix} were listed but gone when read, ${MAX_PASSES} times in a row`,
      "use an unstorage driver that lists what it has, and let no one else write to its base",
    );
  }

  async function put(entries: readonly KeyValueEntry[]): Promise<void> {
    await inBatches(entries, ({ key, value }) => storage.setItemRaw(`${base}:${key}`, value));
  }

  async function remove(keys: readonly string[]): Promise<void> {
    await inBatches(keys, (key) => storage.removeItem(`${base}:${key}`));
  }

  /**
   * Unstorage ignores writes to a driver that has none or is read-only, and its fs driver lists nothing inside
   * `node_modules` or `.git`: an append would resolve, and be lost.
   */
  async function tryOut(): Promise<void> {
    const key = `${base}:trial:${hexOf(crypto.getRandomValues(new Uint8Array(12)))}`;
    const written = Uint8Array.of(0, 1, 0x80, 0xff);
    await storage.setItemRaw(key, written.slice());
    const listed = (await storage.getKeys(`${base}:trial`)).includes(key);
    const value = bytesOf(await storage.getItemRaw(key), key);
    await storage.removeItem(key);
    if (!listed || value === undefined || hexOf(value) !== hexOf(written)) {
      throw new SyncError(
        "teleportal",
        `the unstorage did not ${listed ? "give back" : "list"} what was written to it on trial`,
        "use a driver that is not read-only and is consistent; the fs driver's base must not lie in node_modules or .git",
      );
    }
  }

  return createKeyValueDocumentStorage(
    {
      list: (documentKey) => read(`${documentKey}:`),
      async put(entries) {
        trial ??= tryOut().catch((cause: unknown) => {
          trial = undefined;
          throw cause;
        });
        await trial;
        await put(entries);
      },
      delete: remove,
    },
    { shared },
  );
}

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += CONCURRENCY) {
    await Promise.all(items.slice(start, start + CONCURRENCY).map(work));
  }
}

/** What a driver gives for stored bytes; undefined if there is no such item. */
function bytesOf(value: unknown, key: string): Uint8Array | undefined {
  if (value === null || value === undefined) {
    return undefined;
  }
  if (value instanceof Uint8Array) {
    return value;
  }
  if (value instanceof ArrayBuffer) {
    return new Uint8Array(value);
  }
  throw new SyncError(
    "teleportal",
    `reading the item ${key} gave no bytes but ${value instanceof Error ? value.message : typeof value}`,
    "check the unstorage driver, and that no one else writes to its base",
    // The fs drivers resolve with the error if a file cannot be read (unstorage 1.17, drivers/utils/node-fs).
    value instanceof Error ? value : undefined,
  );
}

function normaliseBase(base: string): string {
  const segment = "[\\w-]+(?:\\.+[\\w-]+)*";
  if (!new RegExp(`^${segment}(?:[:/]${segment})*$`).test(base)) {
    throw new SyncError(
      "teleportal",
      `${JSON.stringify(base)} cannot be the base of an unstorage`,
      "use segments of letters, digits, _, - and dots inside, joined by : or /",
    );
  }
  return base.replaceAll("/", ":");
}
