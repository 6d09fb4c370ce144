import { describeCause, SyncError } from "@teleportal/sync-core";
import type { ClassicLevel } from "classic-level";
import type { DocumentStorage } from "./document-storage.ts";
import { createKeyValueDocumentStorage } from "./key-value-document-storage.ts";

/** How a directory is used. */
export interface FileDocumentStorageOptions {
  /**
   * What an update survives once its `append` has resolved: with "process" that the process crashes or is killed; with
   * "power" also that the machine does, for which each append waits for the disk (fsync, some milliseconds). Either way
   * the directory stays readable.
   * @default "process"
   */
  readonly durability?: "process" | "power";
}

/** A directory that holds documents. */
export interface FileDocumentStorage extends DocumentStorage {
  /**
   * Opens the directory now, so that a server need not start on one that it cannot use. May be called often, or never.
   * @throws SyncError when it cannot be opened, or `classic-level` cannot be loaded; and after `close`.
   */
  open(): Promise<void>;
  /**
   * Sets the directory free for another process. May be called twice. What is called afterwards rejects; calls that
   * are still under way may.
   */
  close(): Promise<void>;
}

type Database = ClassicLevel<string, Uint8Array>;

/**
 * Keeps documents in a directory of the local disk, by LevelDB (`npm install classic-level`, needs Node). The directory
 * is made if it is missing and opened at the first call, of `open` or any other; an opening that failed is tried again at
 * the next.
 *
 * LevelDB admits one storage object of one process at a time: a second one's calls reject, naming the directory. So
 * `shared` is false, and each process needs a directory of its own; several servers of one process may use one object.
 *
 * @param directory Absolute, or relative to the working directory at the first call.
 */
export function createFileDocumentStorage(
  directory: string,
  options: FileDocumentStorageOptions = {},
): FileDocumentStorage {
  const sync = options.durability === "power";
  let opening: Promise<Database> | undefined;
  let closing: Promise<void> | undefined;

  async function database(): Promise<Database> {
    if (closing) {
      throw new SyncError(
        "teleportal",
        `the storage directory ${JSON.stringify(directory)} was used after close()`,
        "close it last, or call createFileDocumentStorage again",
      );
    }
    opening ??= open(directory).catch((cause: unknown) => {
      opening = undefined;
      throw cause;
    });
    return await opening;
  }

  async function close(): Promise<void> {
    // A failed opening was told to whoever asked for it, and leaves nothing to close.
    const opened = await opening?.catch(() => undefined);
    try {
      await opened?.close();
    } catch (cause) {
      throw new SyncError(
        "teleportal",
        `closing the storage directory ${JSON.stringify(directory)} failed (${describeCause(cause)})`,
        "nothing is lost; end the process before the directory is opened again",
        cause,
      );
    }
  }

  const storage = createKeyValueDocumentStorage(
    {
      async list(documentKey) {
        const db = await database();
        // The iterator reads from a snapshot. ";" is the character after ":".
        const range = { gt: `${documentKey}:`, lt: `${documentKey};` };
        return (await db.iterator(range).all()).map(([key, value]) => ({ key, value }));
      },

      async put(entries) {
        const db = await database();
        await db.batch(
          entries.map(({ key, value }) => ({ type: "put", key, value }) as const),
          { sync },
        );
      },

      async delete(keys) {
        const db = await database();
        // Never synced: LevelDB's log keeps the order, so a deletion that is lost only leaves what was merged as well.
        await db.batch(keys.map((key) => ({ type: "del", key }) as const));
      },
    },
    { shared: false },
  );

  return {
    ...storage,
    async open() {
      await database();
    },
    close: () => (closing ??= close()),
  };
}

async function open(directory: string): Promise<Database> {
  const { ClassicLevel } = await importClassicLevel(directory);
  try {
    // LevelDB knows a directory that its own process has open by the spelling alone, and would open it twice by two:
    // its lock is fcntl's, which does not exclude the same process (leveldb, util/env_posix.cc, PosixLockTable).
    const { mkdir, realpath } = await import("node:fs/promises");
    await mkdir(directory, { recursive: true });
    const db: Database = new ClassicLevel(await realpath(directory), {
      keyEncoding: "utf8",
      valueEncoding: "view",
    });
    await db.open();
    return db;
  } catch (cause) {
    // The database's own error says only that it failed to open; why is in its cause.
    const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new SyncError(
      "teleportal",
      `opening the storage directory ${JSON.stringify(directory)} failed (${describeCause(reason)})`,
      remedyFor(codeOf(reason)),
      cause,
    );
  }
}

function remedyFor(code: unknown): string {
  switch (code) {
    case "LEVEL_LOCKED":
      return (
        "it is in use by another process, or by another storage object of this one; " +
        "give each process a directory of its own, or one storage that is shared, such as createUnstorageDocumentStorage"
      );
    case "LEVEL_CORRUPTION":
      return "restore the directory from a backup, or copy it and try ClassicLevel.repair() on the copy";
    default:
      return "check that it is a directory this process may write to";
  }
}

async function importClassicLevel(directory: string): Promise<typeof import("classic-level")> {
  try {
    return await import("classic-level");
  } catch (cause) {
    const missing = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(String(codeOf(cause)));
    throw new SyncError(
      "teleportal",
      missing
        ? `the storage directory ${JSON.stringify(directory)} needs classic-level, which is not installed`
        : `loading classic-level failed (${describeCause(cause)})`,
      missing
        ? "run `npm install classic-level`"
        : "install it again for this platform and version of Node, by `npm rebuild classic-level`",
      cause,
    );
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : undefined;
}
