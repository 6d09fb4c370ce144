import { SyncError } from "@teleportal/sync-core";
import type { Document } from "../document/document.ts";

/**
 * The open documents by id. Opening and closing the same one never overlap: one that is being closed is closed to
 * the end and then opened anew, and one that is wanted again before its closing has begun stays open
 * (ueberdosis/hocuspocus#557, #971).
 */
export interface DocumentRegistry {
  readonly size: number;
  /** Counts one more user of the document, and opens it if need be. */
  acquire(id: string, open: () => Promise<Document>): Promise<Document>;
  /** Counts one user less; the last one closes the document once it is stored. */
  release(id: string): void;
  /** Those of it, and those that wait to open it. */
  users(id: string): number;
  /** Closes all that are open or being opened; none is opened afterwards. */
  closeAll(): Promise<void>;
}

interface Entry {
  users: number;
  readonly opening: Promise<Document>;
  closing?: Promise<void>;
}

export function createDocumentRegistry(): DocumentRegistry {
  const entries = new Map<string, Entry>();
  /** By id, how many wait for its closing, to open it anew. */
  const waiting = new Map<string, number>();
  let closed = false;

  async function close(id: string, entry: Entry): Promise<void> {
    try {
      const document = await entry.opening.catch(() => undefined);
      // One that could not be opened has been reported to whoever asked for it.
      await document?.close();
    } finally {
      if (entries.get(id) === entry) entries.delete(id);
    }
  }

  async function unload(id: string, entry: Entry): Promise<void> {
    const document = await entry.opening;
    await document.saved();
    if (entry.users > 0 || entry.closing !== undefined) return;
    entry.closing = close(id, entry);
    await entry.closing;
  }

  async function waitFor(id: string, closing: Promise<void>): Promise<void> {
    waiting.set(id, (waiting.get(id) ?? 0) + 1);
    try {
      await closing;
    } finally {
      const left = (waiting.get(id) ?? 0) - 1;
      if (left > 0) waiting.set(id, left);
      else waiting.delete(id);
    }
  }

  return {
    get size() {
      return entries.size;
    },
    users: (id) => (entries.get(id)?.users ?? 0) + (waiting.get(id) ?? 0),
    async acquire(id, open) {
      let entry = entries.get(id);
      while (entry?.closing !== undefined) {
        await waitFor(id, entry.closing);
        entry = entries.get(id);
      }
      if (closed) {
        throw new SyncError("teleportal", "the server is closing", "connect to another instance");
      }
      if (entry === undefined) {
        entry = { users: 0, opening: open() };
        entries.set(id, entry);
      }
      entry.users += 1;
      try {
        return await entry.opening;
      } catch (error) {
        // One that could not be opened is not kept: the next to ask tries again.
        if (entries.get(id) === entry) entries.delete(id);
        throw error;
      }
    },
    release(id) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      entry.users -= 1;
      if (entry.users === 0) void unload(id, entry);
    },
    async closeAll() {
      closed = true;
      await Promise.all(
        [...entries].map(async ([id, entry]) => {
          entry.closing ??= close(id, entry);
          await entry.closing;
        }),
      );
    },
  };
}
