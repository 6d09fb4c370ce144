/**
 * A client's WebSocket as the server needs it; `ws`, crossws, Bun and Deno sockets take a few lines to adapt. The
 * one who makes it calls {@link ClientConnection}'s members for what the socket receives.
 */
export interface ClientSocket {
  /** Queues a binary message. MUST NOT throw, also when the socket is closed. */
  send(frame: Uint8Array): void;
  /** Begins the closing handshake. MUST lead to `ClientConnection.closed`. */
  close(code: number, reason: string): void;
  /**
   * Sends the message as `send` does, and sees to it that a client that is gone is noticed: one of which nothing was received
   * for long is asked for a sign, and cut off if it gives none until the next time. Called every 24 s, for many clients at once.
   * Without it the message is only sent. MUST NOT throw.
   */
  keepAlive?(frame: Uint8Array): void;
  /**
   * Stops and goes on reading, for a client that sends faster than the limits allow. Without them it is closed instead. MUST NOT
   * throw, and may be called when the socket is closed.
   */
  pause?(): void;
  resume?(): void;
  /** Bytes queued by `send` and not yet handed to the network. */
  readonly bufferedAmount: number;
}

/** What `Server.connect` returns: where the socket's events go. To be called as its methods. */
export interface ClientConnection {
  /** A binary message has arrived. The bytes are copied where they are kept. */
  receive(frame: Uint8Array): void;
  /** The socket itself has refused a message for being larger than `moreThan` bytes, before all of it had come. */
  oversized(moreThan: number): void;
  /** The socket is closed, for whatever reason. Idempotent. */
  closed(): void;
}
