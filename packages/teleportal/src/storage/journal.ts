import { describeCause } from "@teleportal/sync-core";
import type { Logger } from "@teleportal/sync-core";
import type { BackgroundWork } from "../document/background-work.ts";
import { compactRecords } from "../document/compact-records.ts";
import type { DeletedContent } from "../document/compact-records.ts";
import { mergeUpdates } from "../yjs-v1/merge-updates.ts";
import type { DocumentStorage } from "./document-storage.ts";
import { UpdateList } from "../yjs-v1/update-list.ts";

const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 10_000;

/** How soon a new record is tried while the storage is down: it may be small enough to be taken. */
const RETRY_NEWS_MS = 1000;

/** So many refused records are kept as they are; more are put together, as a storage that is down for hours refuses thousands. */
const MOST_REFUSED = 64;

/** So many records that were refused are tried again in a row before the storage is taken to be down. */
const TRIED_IN_A_ROW = 8;

/**
 * After how many records the stored form is compacted when the document is closed, and while it is open, so that what
 * is typed and erased for hours does not pile up.
 */
const COMPACT_AFTER = 64;
const COMPACT_AFTER_WHILE_OPEN = 2048;

/** The same by bytes. */
const COMPACT_AFTER_LITTLE = 4 * 1024;
const COMPACT_AFTER_BYTES = 1024 * 1024;

/** A large document has to grow by more, as compacting takes time with its size: by so many bytes of it a record. */
const BYTES_PER_RECORD = 64;

/** So many updates do not wait for one another: many small objects that live long are what garbage collection costs most. */
const MANY = 32;

/** Updates that together are no larger than this become one record, in bytes: each record of a storage has its price. */
const RECORD_BYTES = 48 * 1024;

/** So much of a peer's edits waits for the peer to confirm that they are stored, in bytes. Then they are stored here as well. */
const MOST_UNCONFIRMED = 256 * 1024;

export interface JournalSettings {
  readonly documentId: string;
  readonly storage: DocumentStorage;
  /** What the storage has given. */
  readonly stored: readonly Uint8Array[];
  readonly deletedContent: DeletedContent;
  readonly logger: Logger;
  readonly background: BackgroundWork;
  /** All that was written is stored. */
  onStored(): void;
}

/**
 * - `none`: what was tried is stored.
 * - `down`: the storage refuses whatever it is given. Nothing new is tried before the next retry.
 * - `refusing`: it refuses some records, for example for their size, and takes others.
 */
type Trouble = "none" | "down" | "refusing";

/**
 * Writes one document's updates to its storage, one `append` at a time, and has the stored form compacted beside that. Records that
 * the storage refuses are kept and tried again with growing delays, each by itself, so that one that is too large keeps none
 * of the others back.
 */
export class Journal {
  readonly #settings: JournalSettings;
  /** Updates that were written since the last `append`. */
  #waiting: Uint8Array[] = [];
  /** Records that the storage has refused: the same bytes each time, so that a storage can keep them under the same keys. */
  #refused: Uint8Array[] = [];
  /** Edits of peers, which those store, until they say that they have; seldom any. */
  #unconfirmed: Map<string, UpdateList> | undefined;
  #trouble: Trouble = "none";
  #writing = false;
  #run = Promise.resolve();
  /** The refused records are tried again next. */
  #retryDue = false;
  /** What the storage has said last. */
  #answer: { readonly refusal: unknown } | undefined;
  #retryMs = RETRY_FIRST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryAt = 0;
  #waiters: (() => void)[] = [];
  #closed = false;
  #compacting: Promise<void> | undefined;
  /** Records and bytes appended since the stored form was compact, and how large it was then, in bytes. */
  #appended: number;
  #grownBytes = 0;
  #compactBytes = 0;

  constructor(settings: JournalSettings) {
    this.#settings = settings;
    this.#appended = settings.stored.length;
    this.#compactBytes = bytesOf(settings.stored);
  }

  /** Whether all that was written is stored. */
  get settled(): boolean {
    return !this.#writing && this.#waiting.length === 0 && this.#refused.length === 0;
  }

  /** Whether so many updates wait that they had better be stored soon. */
  get crowded(): boolean {
    return this.#waiting.length >= MANY;
  }

  /** Takes a copy of `update`, to be stored with the next `flush`. */
  write(update: Uint8Array): void {
    this.#waiting.push(new Uint8Array(update));
  }

  /** Takes a copy of what a peer stores, so that it can be stored here if the peer dies before it has. */
  keep(peer: string, update: Uint8Array): void {
    const unconfirmed = (this.#unconfirmed ??= new Map<string, UpdateList>());
    let kept = unconfirmed.get(peer);
    if (kept === undefined) unconfirmed.set(peer, (kept = new UpdateList()));
    kept.push(update);
    if (kept.byteLength > MOST_UNCONFIRMED) this.abandoned(peer);
  }

  /** The peer has stored what was kept of it. */
  confirmed(peer: string): void {
    this.#unconfirmed?.delete(peer);
  }

  /** The peer may never store what was kept of it: it is written here. */
  abandoned(peer: string): void {
    const kept = this.#unconfirmed?.get(peer);
    if (kept === undefined) return;
    this.#unconfirmed?.delete(peer);
    this.#waiting.push(...kept.copies());
    this.flush();
  }

  /** The document is being closed, and will not hear what its peers store. */
  abandonedByAll(): void {
    for (const peer of this.#unconfirmed?.keys() ?? []) this.abandoned(peer);
  }

  /** Begins to store what was written. */
  flush(): void {
    if (this.#waiting.length === 0 || this.#writing) return;
    if (this.#trouble === "down") this.#retryWithin(RETRY_NEWS_MS);
    else this.#run = this.#write();
  }

  /** Begins to store what was written; resolves when all is, so not while the storage fails, or when the journal is closed. */
  saved(): Promise<void> {
    this.flush();
    if (this.settled) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Ends: tries once more to store what is not, makes the stored form compact, and reports what could not be done. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#run;
    if (!this.settled) {
      this.#retryDue = true;
      this.#run = this.#write();
      await this.#run;
    }
    for (const done of this.#waiters) done();
    await this.#compacting;
    if (!this.settled) {
      this.#settings.logger.error(
        `[teleportal] ${this.#settings.documentId} is closed with edits that its storage has refused: ` +
          "they are lost here unless another instance or a client holds them",
      );
    } else if (this.#isWorthCompacting()) {
      await this.#compact();
    }
  }

  /** Stores until nothing waits, or the storage is down. */
  async #write(): Promise<void> {
    this.#writing = true;
    do {
      if (this.#retryDue) {
        await this.#tryAgain();
      } else {
        const records = together(this.#waiting);
        this.#waiting = [];
        if (!(await this.#append(records))) this.#refused.push(...records);
      }
      this.#noteTrouble();
    } while (this.#retryDue || (this.#waiting.length > 0 && this.#trouble !== "down"));
    this.#writing = false;
    if (this.#refused.length > 0) this.#retryWithin(this.#retryMs);
    else this.#noteStored();
  }

  #retryWithin(milliseconds: number): void {
    const at = performance.now() + milliseconds;
    if (this.#closed || (this.#timer !== undefined && this.#retryAt <= at)) return;
    clearTimeout(this.#timer);
    this.#retryAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MOST_MS);
      this.#retryDue = true;
      if (!this.#writing) this.#run = this.#write();
    }, milliseconds);
  }

  #noteStored(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const done of waiters) done();
    this.#settings.onStored();
  }

  /** One line in the log for each change. */
  #noteTrouble(): void {
    const { documentId, logger } = this.#settings;
    const before = this.#trouble;
    if (this.#refused.length === 0) this.#trouble = "none";
    else this.#trouble = this.#answer === undefined ? "refusing" : "down";
    if (this.#trouble === before) return;
    switch (this.#trouble) {
      case "none":
        this.#retryMs = RETRY_FIRST_MS;
        logger.info(`[teleportal] storing ${documentId} works again: all of it is stored`);
        return;
      case "down":
        logger.error(
          `[teleportal] storing ${documentId} failed (${describeCause(this.#answer?.refusal)}): ` +
            "it is kept in memory and tried again until it succeeds",
        );
        return;
      case "refusing": {
        const bytes = Math.max(...this.#refused.map(({ length }) => length));
        logger.error(
          `[teleportal] the storage of ${documentId} refuses records of up to ${bytes} bytes, and takes others: ` +
            "check its limit on the size of a value; they are kept in memory and tried again",
        );
      }
    }
  }

  /** Tries each refused record by itself, and what has come since first: it may be what is not refused. */
  async #tryAgain(): Promise<void> {
    this.#retryDue = false;
    if (this.#refused.length > MOST_REFUSED) this.#refused = [...together(this.#refused)];
    const due = [...together(this.#waiting), ...this.#refused];
    const news = this.#waiting.length;
    this.#waiting = [];
    this.#refused = [];
    let stored = 0;
    for (const [index, record] of due.entries()) {
      if (stored === 0 && index >= TRIED_IN_A_ROW) {
        // Those that were not tried are the first the next time.
        this.#refused.unshift(...due.slice(index));
        return;
      }
      if (await this.#append([record])) stored += 1;
      else this.#refused.push(record);
    }
    // It takes others: what it goes on refusing says nothing about what comes next.
    if (stored > 0 || (news === 0 && this.#trouble === "refusing")) this.#answer = undefined;
  }

  async #append(records: readonly Uint8Array[]): Promise<boolean> {
    try {
      await this.#settings.storage.append(this.#settings.documentId, records);
    } catch (refusal) {
      this.#answer = { refusal };
      return false;
    }
    this.#answer = undefined;
    this.#appended += records.length;
    this.#grownBytes += bytesOf(records);
    this.#compactBeside();
    return true;
  }

  /** When the document is closed it need not have outgrown as much: the next opening reads all that is stored. */
  #isWorthCompacting(): boolean {
    return (
      this.#appended >= COMPACT_AFTER ||
      this.#grownBytes > Math.max(COMPACT_AFTER_LITTLE, this.#compactBytes)
    );
  }

  #hasPiledUp(): boolean {
    return (
      this.#appended >= Math.max(COMPACT_AFTER_WHILE_OPEN, this.#compactBytes / BYTES_PER_RECORD) ||
      this.#grownBytes > Math.max(COMPACT_AFTER_BYTES, 2 * this.#compactBytes)
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
    const { documentId, storage, deletedContent, logger, background } = this.#settings;
    // Also when it fails: it is not tried again before as much has come again.
    this.#grownBytes = 0;
    this.#appended = 0;
    try {
      await storage.compact(documentId, async (records) => {
        const compacted = await background.run(compactRecords(records, deletedContent));
        this.#compactBytes = bytesOf(compacted);
        return compacted;
      });
    } catch (cause) {
      logger.warn(
        `[teleportal] compacting ${documentId} failed (${describeCause(cause)}): ` +
          "nothing is lost, and it is tried again later",
      );
    }
  }
}

function bytesOf(records: readonly Uint8Array[]): number {
  return records.reduce((sum, { length }) => sum + length, 0);
}

/** As few records, none of which is large because of it. */
function together(updates: readonly Uint8Array[]): readonly Uint8Array[] {
  if (updates.length < 2) return updates;
  const records: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  let room = RECORD_BYTES;
  for (const update of updates) {
    room -= update.length;
    if (room < 0 && group.length > 0) {
      records.push(asOne(group));
      group = [];
      room = RECORD_BYTES - update.length;
    }
    group.push(update);
  }
  records.push(asOne(group));
  return records;
}

/** A single one stays the same object: that is how a storage tells what it was handed before. */
function asOne(updates: readonly Uint8Array[]): Uint8Array {
  const [only] = updates;
  return only !== undefined && updates.length === 1 ? only : mergeUpdates(updates);
}
