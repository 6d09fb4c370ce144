import { SyncError } from "@teleportal/sync-core";

/** What one client may cost the server. Every field has a default; a document has one connection per client. */
export interface ServerLimits {
  /**
   * The largest frame a client may send, in bytes. A SyncStep2 has a limit of its own, `documentBytes`. Above it the connection is
   * closed with 1009; a client of Yjs connects again, and sends the same edits in its SyncStep2.
   * @default 16 MiB
   */
  readonly frameBytes?: number | undefined;
  /**
   * The largest SyncStep2 a client may send, in bytes: all that it holds and the server lacks, so all of its document after a restart
   * with an empty storage. Above it the connection is closed with 4413, and a client of Yjs does not come again. So much memory
   * each connection may take while such a frame is received.
   * @default 64 MiB
   */
  readonly documentBytes?: number | undefined;
  /**
   * How many bytes may wait for a slow client, beyond its first download of the document. Above it the connection is
   * closed with 1013, and the client syncs again when it returns.
   * @default 8 MiB
   */
  readonly bufferedBytes?: number | undefined;
  /**
   * How many documents the server opens at once; a further one is refused with 1013.
   * @default 100000
   */
  readonly documents?: number | undefined;
  /**
   * How many connections one document takes; a further one is refused with 1013.
   * @default 10000
   */
  readonly connectionsPerDocument?: number | undefined;
  /**
   * How many messages a client may send in a second, after one second's worth at once. What comes faster is not lost: its
   * socket is read later.
   * @default 5000
   */
  readonly messagesPerSecond?: number | undefined;
  /**
   * The same by bytes; less than `frameBytes` makes a large frame be followed by a long silence.
   * @default 16 MiB
   */
  readonly bytesPerSecond?: number | undefined;
  /**
   * How many bytes of presence a client may hold, its states as JSON and 64 bytes for each; above it the connection is closed with
   * 1009.
   * @default 64 KiB
   */
  readonly presenceBytes?: number | undefined;
}

/** The limits in force. */
export type Limits = { readonly [Name in keyof ServerLimits]-?: number };

const MEBIBYTE = 1024 * 1024;

/**
 * A limit that is `undefined` has its default, as one that is left out.
 *
 * @throws SyncError for one that is no number above 0
 */
export function withDefaultLimits(limits: ServerLimits): Limits {
  for (const [name, limit] of Object.entries(limits)) {
    if (limit === undefined || (typeof limit === "number" && limit > 0)) continue;
    throw new SyncError(
      "teleportal",
      `limits.${name} is ${String(limit)}`,
      "use a number above 0, or leave it out for the default",
    );
  }
  return {
    frameBytes: limits.frameBytes ?? 16 * MEBIBYTE,
    documentBytes: limits.documentBytes ?? 64 * MEBIBYTE,
    bufferedBytes: limits.bufferedBytes ?? 8 * MEBIBYTE,
    documents: limits.documents ?? 100_000,
    connectionsPerDocument: limits.connectionsPerDocument ?? 10_000,
    messagesPerSecond: limits.messagesPerSecond ?? 5000,
    bytesPerSecond: limits.bytesPerSecond ?? 16 * MEBIBYTE,
    presenceBytes: limits.presenceBytes ?? 64 * 1024,
  };
}
