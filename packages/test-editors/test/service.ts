/** A running server that y-websocket clients connect to. */
export interface Service {
  /** Such as `ws://127.0.0.1:1234`; a document's name is appended. */
  readonly url: string;
  /** Ends it; what it was given to store is stored. Idempotent. */
  stop(): Promise<void>;
}
