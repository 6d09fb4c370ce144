/** What one client may cost the server. Every field has a default; a document has one connection per client. */
export interface ServerLimits {
  /**
   * The largest frame a client may send, in bytes; above it the connection is closed with 1009.
   * @default 16 MiB
   */
  readonly frameBytes?: number;
  /**
   * How many bytes may wait for a slow client, beyond its first download of the document. Above it the connection is
   * closed with 1013, and the client syncs again when it returns.
   * @default 8 MiB
   */
  readonly bufferedBytes?: number;
  /**
   * How many documents the server opens at once; a further one is refused with 1013.
   * @default 100000
   */
  readonly documents?: number;
  /**
   * How many connections one document takes; a further one is refused with 1013.
   * @default 10000
   */
  readonly connectionsPerDocument?: number;
  /**
   * How many messages a client may send in a second, after one second's worth at once. What comes faster is not lost: its
   * socket is read later.
   * @default 5000
   */
  readonly messagesPerSecond?: number;
  /**
   * The same by bytes; less than `frameBytes` makes a large frame be followed by a long silence.
   * @default 16 MiB
   */
  readonly bytesPerSecond?: number;
  /**
   * How many bytes of presence a client may hold, its states as JSON and 64 bytes for each; above it the connection is closed with
   * 1009.
   * @default 64 KiB
   */
  readonly presenceBytes?: number;
}

const MEBIBYTE = 1024 * 1024;

export function withDefaultLimits(limits: ServerLimits): Required<ServerLimits> {
  return {
    frameBytes: 16 * MEBIBYTE,
    bufferedBytes: 8 * MEBIBYTE,
    documents: 100_000,
    connectionsPerDocument: 10_000,
    messagesPerSecond: 5000,
    bytesPerSecond: 16 * MEBIBYTE,
    presenceBytes: 64 * 1024,
    ...limits,
  };
}
