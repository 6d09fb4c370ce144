import type { Message } from "./message.ts";

/** The two streams of a {@link YTransport}. */
export interface TransportStreams<Context> {
  readonly readable: ReadableStream<Message<Context>>;
  readonly writable: WritableStream<Message<Context>>;
}

/**
 * One document's way to the other instances. Anyone may implement it by hand, and add properties of his own.
 *
 * - What is written to `writable` MUST reach the `readable` of every other instance's transport for the same
 *   document, at most once in the normal case, in the order written, and MUST NOT come back to the writer's own.
 *   It may be lost: the replica above repairs. It MUST NOT be altered.
 * - Closing `writable`, or cancelling `readable`, ends the transport: what was written before is still sent, the
 *   subscription is given up, and `readable` closes. `close()` resolves when that is done.
 * - A writer never waits for the network: a transport that cannot keep up drops, and says `lost`.
 */
export type YTransport<Context, AdditionalProperties> = TransportStreams<Context> &
  AdditionalProperties;

/**
 * A transport that can also be used without its streams, which cost a keystroke several turns of the microtask queue
 * and a quiet document most of its memory. The transports of `createSyncTransportFactory` are such; a hand-written
 * one need not be.
 */
export interface DirectTransport<Context> extends TransportStreams<Context> {
  /**
   * Takes the transport over: from now on each message is handed to `receive` as it comes, those that have come
   * before it first, and `ended` is called when it has ended. Neither may throw.
   *
   * @throws SyncError if it was taken over before, or its streams are in use.
   */
  takeOver(reader: DirectReader<Context>): DirectConnection<Context>;
}

/** Who has taken a transport over. Called as its methods. */
export interface DirectReader<Context> {
  receive(message: Message<Context>): void;
  ended(): void;
}

/** What a transport that was taken over is written to by. To be called as its methods. */
export interface DirectConnection<Context> {
  /** As a write to `writable`; never waits, and never calls `receive` before it returns. Ignored after `close`. */
  send(message: Message<Context>): void;
  /** As closing `writable`; nothing is received once it has resolved. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes one transport per document. The server calls `createTransport` when a document is opened and ends the
 * transport when its last client has left; the one who made the factory calls `close`.
 */
export interface ServerSyncTransportFactory<Context = unknown> {
  /**
   * MUST resolve only when the subscription is live, so that no edit falls between; or, while the broker cannot be
   * reached, at once, with `down` as the first message to read and `up` as soon as the subscription is live.
   * MUST reject only for an id that can never work and after `close`.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- fixed by the public API: implementers may add properties of any type
  createTransport(documentId: string): Promise<YTransport<Context, any>>;
  /** Ends every transport and every connection it opened. MUST be idempotent and leave no handle behind. */
  close(): Promise<void>;
}
