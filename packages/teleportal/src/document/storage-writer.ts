import { describeCause } from "@teleportal/sync-core";
import type { Logger } from "@teleportal/sync-core";
import type { DocumentStorage } from "../storage/document-storage.ts";
import type { BackgroundWork, Steps } from "./background-work.ts";
import { compaction, PIECE_SIZE } from "./compaction.ts";
import { concatenate } from "./concatenation.ts";

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

/** So many updates do not wait for one another: many small objects that live long are what garbage collection costs most. */
const MANY = 32;

/** So many updates, or bytes of them, are looked at before the event loop may turn. */
const BATCH = 256;
const BATCH_BYTES = PIECE_SIZE;

/** A large document has to grow by more, as compacting takes time with its size: by so many bytes of it an update. */
const BYTES_PER_UPDATE = 64;

/** What is stored, as it is held in memory. */
export interface StoredDocument {
  /** All that is held: what stands for the updates that a failing storage has refused. */
  updates(): readonly Uint8Array[];
  /** Whether it is to be made compact: much of what it holds is not needed. */
  readonly bloated: boolean;
  /** Whether the update holds nothing else. @throws MalformedUpdateError */
  isKnown(update: Uint8Array): boolean;
}

/**
 * Writes one document's updates to its storage, one `append` at a time, and keeps trying while the storage fails. Has the stored form
 * compacted beside that: what is typed does not wait in memory until it is.
 */
export class StorageWriter {
  readonly #documentId: string;
  readonly #storage: DocumentStorage;
  readonly #logger: Logger;
  readonly #background: BackgroundWork;
  readonly #document: StoredDocument;
  #waiting: Uint8Array[] = [];
  /** Updates and bytes appended since the stored form was compact, and how large it was then. */
  #appended: number;
  #grown = 0;
  #compactSize = 0;
  /** Some updates were refused: only everything together is sure to hold them. */
  #behind = false;
  #delay = RETRY_FIRST;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether `#run` goes on. */
  #running = false;
  #run = Promise.resolve();
  #compacting: Promise<void> | undefined;
  #waiters: (() => void)[] = [];
  #closed = false;

  /** `stored`: how many updates the storage has given. */
  constructor(
    documentId: string,
    storage: DocumentStorage,
    stored: number,
    logger: Logger,
    background: BackgroundWork,
    document: StoredDocument,
  ) {
    this.#documentId = documentId;
    this.#storage = storage;
    this.#appended = stored;
    this.#logger = logger;
    this.#background = background;
    this.#document = document;
  }

  /** Whether so many updates wait that they had better be stored soon. */
  get crowded(): boolean {
    return this.#waiting.length >= MANY;
  }

  /** Takes a copy of `update`, to be stored with the next `flush`. */
  write(update: Uint8Array): void {
    // While the storage fails nothing is queued, unless all that was held is just being stored: this is not among it.
    if (this.#behind && !this.#running) return;
    this.#waiting.push(new Uint8Array(update));
  }

  /** Begins to store what was written. */
  flush(): void {
    if (this.#waiting.length > 0 && !this.#behind && !this.#running) {
      void this.#start();
    }
  }

  /** Begins to store what was written; resolves when all is, so not while the storage fails, or when it is closed. */
  saved(): Promise<void> {
    this.flush();
    if (this.#waiting.length === 0 && !this.#behind && !this.#running) {
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Ends: tries once more to store what is not, makes the stored form compact, and reports what could not be done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#start();
    if (this.#behind || this.#waiting.length > 0) await this.#start();
    for (const done of this.#waiters) done();
    await this.#compacting;
    if (this.#behind) {
      this.#logger.error(
        `[teleportal] ${this.#documentId} is closed with edits that its storage has refused: ` +
          "they are lost here unless another instance or a client holds them",
      );
    } else if (this.#appended >= COMPACT_AFTER) {
      await this.#compact();
    }
  }

  #start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#running && (this.#waiting.length > 0 || this.#behind)) {
      this.#running = true;
      this.#run = this.#storeAll();
    }
    return this.#run;
  }

  /** Stores until nothing waits, or the storage fails. */
  async #storeAll(): Promise<void> {
    while (this.#waiting.length > 0 || this.#behind) {
      try {
        const updates = this.#behind ? this.#document.updates() : together(this.#waiting);
        this.#waiting = [];
        await this.#storage.append(this.#documentId, updates);
        this.#noteStored(updates);
      } catch (cause) {
        this.#noteFailure(cause);
        this.#running = false;
        if (!this.#closed) this.#retryLater();
        return;
      }
      this.#compactBeside();
    }
    this.#running = false;
    const resolve = this.#waiters;
    this.#waiters = [];
    for (const done of resolve) done();
  }

  #noteStored(updates: readonly Uint8Array[]): void {
    for (const update of updates) this.#grown += update.length;
    this.#appended += updates.length;
    if (this.#behind) {
      this.#logger.info(
        `[teleportal] storing ${this.#documentId} works again: all of it is stored`,
      );
    }
    this.#behind = false;
    this.#delay = RETRY_FIRST;
  }

  #noteFailure(cause: unknown): void {
    if (!this.#behind) {
      this.#logger.error(
        `[teleportal] storing ${this.#documentId} failed (${describeCause(cause)}): ` +
          "it is kept in memory and tried again until it succeeds",
      );
    }
    this.#behind = true;
    // All that the document holds will be stored, these too.
    this.#waiting = [];
  }

  #retryLater(): void {
    this.#timer = setTimeout(() => void this.#start(), this.#delay);
    this.#delay = Math.min(this.#delay * 2, RETRY_MOST);
  }

  #hasPiledUp(): boolean {
    return (
      this.#appended >= Math.max(COMPACT_AFTER_WHILE_OPEN, this.#compactSize / BYTES_PER_UPDATE) ||
      this.#grown > Math.max(COMPACT_AFTER_BYTES, 2 * this.#compactSize)
    );
  }

  /** If it is due. */
  #compactBeside(): void {
    if (this.#closed || !this.#hasPiledUp()) return;
    this.#compacting ??= this.#compact().finally(() => {
      this.#compacting = undefined;
      // As much may have come meanwhile.
      this.#compactBeside();
    });
  }

  async #compact(): Promise<void> {
    // Also when it fails: it is not tried again before as much has come again.
    this.#grown = 0;
    this.#appended = 0;
    try {
      await this.#storage.compact(this.#documentId, async (updates) => {
        const compacted = await this.#background.run(this.#compacted(updates));
        this.#compactSize = compacted.reduce((sum, { length }) => sum + length, 0);
        return compacted;
      });
    } catch (cause) {
      this.#logger.warn(
        `[teleportal] compacting ${this.#documentId} failed (${describeCause(cause)}): ` +
          "nothing is lost, and it is tried again later",
      );
    }
  }

  /**
   * Most often the document holds what is stored, and has been made compact itself: then nothing is done twice. While more comes
   * than it is made compact for, it has all of that beside: stored as compact, that would be waited for twice next time.
   */
  *#compacted(updates: readonly Uint8Array[]): Steps<readonly Uint8Array[]> {
    let count = 0;
    let bytes = 0;
    for (const update of updates) {
      // Another instance may have stored it.
      if (!this.#document.isKnown(update)) return yield* ownCompaction(updates);
      count += 1;
      bytes += update.length;
      if (count < BATCH && bytes < BATCH_BYTES) continue;
      count = bytes = 0;
      yield;
    }
    return this.#document.bloated ? yield* ownCompaction(updates) : this.#document.updates();
  }
}

function* ownCompaction(updates: readonly Uint8Array[]): Steps<readonly Uint8Array[]> {
  const pieces = yield* compaction(updates);
  return pieces.map((piece) => piece.update);
}

/** As one, if they are nothing but typing: every entry of a storage has its price. */
function together(updates: readonly Uint8Array[]): readonly Uint8Array[] {
  const joined = updates.length > 1 ? concatenate(updates) : undefined;
  return joined === undefined ? updates : [joined.update];
}
