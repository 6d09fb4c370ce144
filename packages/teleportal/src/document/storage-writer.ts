import { describeCause } from "@teleportal/sync-core";
import type { Logger } from "@teleportal/sync-core";
import type { DocumentStorage } from "../storage/document-storage.ts";
import { compactUpdates } from "./compact-updates.ts";

const RETRY_FIRST = 250;
const RETRY_MOST = 10_000;

/**
 * After how many updates the stored form is compacted when the document is closed, and while it is open, so that what
 * is typed and erased for hours does not pile up.
 */
const COMPACT_AFTER = 64;
const COMPACT_AFTER_WHILE_OPEN = 2048;

/** The same by bytes. */
const COMPACT_AFTER_BYTES = 1024 * 1024;

/** A large document has to grow by more, as compacting takes time with its size: by so many bytes of it an update. */
const BYTES_PER_UPDATE = 64;

/** Writes one document's updates to its storage, one call at a time, and keeps trying while the storage fails. */
export interface StorageWriter {
  /** Takes `update`, to be stored with the next `flush`. */
  write(update: Uint8Array): void;
  /** Begins to store what was written. */
  flush(): void;
  /** Begins to store what was written; resolves when all is, so not while the storage fails, or when it is closed. */
  saved(): Promise<void>;
  /** Ends: tries once more to store what is not, makes the stored form compact, and reports what could not be done. */
  close(): Promise<void>;
}

/** `everything` gives all that the document holds: what stands for the updates that a failing storage refused. */
export function createStorageWriter(
  documentId: string,
  storage: DocumentStorage,
  stored: number,
  logger: Logger,
  everything: () => readonly Uint8Array[],
): StorageWriter {
  let waiting: Uint8Array[] = [];
  /** Updates and bytes appended since the stored form was compact, and how large it was then. */
  let appended = stored;
  let grown = 0;
  let compactSize = 0;
  /** Some updates were refused: only everything together is sure to hold them. */
  let behind = false;
  let delay = RETRY_FIRST;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;
  let waiters: (() => void)[] = [];
  let closed = false;

  async function store(): Promise<boolean> {
    const updates = behind ? everything() : waiting;
    waiting = [];
    try {
      await storage.append(documentId, updates);
      for (const update of updates) grown += update.length;
      appended += updates.length;
      if (behind)
        logger.info(`[teleportal] storing ${documentId} works again: all of it is stored`);
      behind = false;
      delay = RETRY_FIRST;
      return true;
    } catch (cause) {
      if (!behind) {
        logger.error(
          `[teleportal] storing ${documentId} failed (${describeCause(cause)}): ` +
            "it is kept in memory and tried again until it succeeds",
        );
      }
      behind = true;
      // `everything` will hold it.
      waiting = [];
      return false;
    }
  }

  async function run(): Promise<void> {
    while (waiting.length > 0 || behind) {
      if (await store()) {
        if (!closed && hasPiledUp()) await compact();
        continue;
      }
      if (closed) return;
      timer = setTimeout(() => void start(), delay);
      delay = Math.min(delay * 2, RETRY_MOST);
      return;
    }
    const resolve = waiters;
    waiters = [];
    for (const done of resolve) done();
  }

  function hasPiledUp(): boolean {
    return (
      appended >= Math.max(COMPACT_AFTER_WHILE_OPEN, compactSize / BYTES_PER_UPDATE) ||
      grown > Math.max(COMPACT_AFTER_BYTES, 2 * compactSize)
    );
  }

  function start(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    running ??= run().finally(() => {
      running = undefined;
      if (!closed && waiting.length > 0 && timer === undefined) void start();
    });
    return running;
  }

  function flush(): void {
    if (waiting.length > 0 && !behind && running === undefined) void start();
  }

  async function compact(): Promise<void> {
    // Also when it fails: it is not tried again before as much has come again.
    grown = 0;
    appended = 0;
    try {
      await storage.compact(documentId, (updates) => {
        const compacted = compactUpdates(updates);
        compactSize = compacted.length;
        return compacted;
      });
    } catch (cause) {
      logger.warn(
        `[teleportal] compacting ${documentId} failed (${describeCause(cause)}): ` +
          "nothing is lost, and it is tried again later",
      );
    }
  }

  return {
    write(update) {
      // While the storage fails nothing is queued, unless `everything` is just being stored: it does not hold this.
      if (behind && running === undefined) return;
      waiting.push(update);
    },
    flush,
    saved() {
      flush();
      if (waiting.length === 0 && !behind && running === undefined) return Promise.resolve();
      return new Promise((resolve) => waiters.push(resolve));
    },
    async close() {
      closed = true;
      await start();
      if (behind || waiting.length > 0) await start();
      for (const done of waiters) done();
      if (behind) {
        logger.error(
          `[teleportal] ${documentId} is closed with edits that its storage has refused: ` +
            "they are lost here unless another instance or a client holds them",
        );
      } else if (appended >= COMPACT_AFTER) {
        await compact();
      }
    },
  };
}
