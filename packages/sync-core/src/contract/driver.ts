/** What a broker does by itself, so that the transport adds only what is missing. */
export interface DriverCapabilities {
  /** `channel`: messages of one publisher on one channel arrive in the order published. `none`: in any order. */
  readonly ordering: "channel" | "none";
  /** `always`: a subscriber hears its own publishes too. `never`: the broker leaves them out. */
  readonly echo: "always" | "never";
  /** `at-least-once` may deliver twice; `at-most-once` may not deliver at all. */
  readonly delivery: "at-most-once" | "at-least-once";
  /**
   * `automatic`: there is a link that may break; the driver says so, and restores it and every subscription by
   * itself. `none`: there is nothing between the instances that could break.
   */
  readonly recovery: "automatic" | "none";
  /** The most bytes one `publish` may carry. Read before every publish: it may change on reconnect. */
  readonly maxPayload: number;
}

/** The connection as the driver sees it. `down` carries what broke, for the one log line. */
export type DriverConnection =
  | { readonly state: "up" }
  | { readonly state: "down"; readonly cause: unknown };

/**
 * All that has to be written for a broker: bytes on named channels. `createSyncTransportFactory` adds the rest:
 * envelopes, batching, splitting, reference counts, echo suppression, status and logging.
 */
export interface SyncDriver {
  /** What error messages and log lines call it: the package's name without its scope, such as `sync-redis`. */
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  /**
   * Called once by the transport factory. The driver MUST call `listener` with its state as soon as the first
   * attempt to connect has succeeded or failed, and not before; then on each change. After an interruption it MUST
   * NOT say `up` before every subscription is live again.
   */
  watch(listener: (connection: DriverConnection) => void): void;
  /**
   * Called once per event-loop turn and document with at most `maxPayload` bytes. MUST resolve when the broker has
   * taken them and reject when it has not; MUST NOT queue while disconnected. MAY resolve with the number of
   * subscribers the broker handed them to, this instance's own included unless `echo` is `never`.
   * The bytes are not touched again by the caller until it has settled.
   */
  publish(channel: string, bytes: Uint8Array): Promise<number | undefined>;
  /**
   * Called with what calls `publish` for every document of an event-loop turn; MUST run it, once and at once. For brokers' clients that
   * write to the socket with each publish: all of them can leave in one system call.
   */
  together?(publishAll: () => void): void;
  /**
   * Called at most once at a time per channel, and never again before the returned function has resolved. MUST
   * resolve when the subscription is live. A channel's name is any well-formed string (one with NUL is the transport's
   * own); the driver encodes what its broker would give a meaning to. `onBytes` never throws; the bytes belong to it
   * from then on.
   */
  subscribe(channel: string, onBytes: (bytes: Uint8Array) => void): Promise<Unsubscribe>;
  /**
   * The link is up and yet nothing comes back through it: called to replace the connection, after which the driver
   * MUST say `down`, then `up`. Not needed with `echo: "never"`, where the broker's client has to find that itself.
   */
  reconnect?(): void;
  /**
   * Ends what the driver opened, and only that: a client handed in by the caller stays open. MUST settle what is on
   * its way, deliver nothing afterwards, and leave no handle behind. Called once; `publish` and `subscribe` MUST
   * reject from then on.
   */
  close(): Promise<void>;
}

/** Gives a subscription up. No bytes are delivered once it has been called. */
export type Unsubscribe = () => Promise<void>;
