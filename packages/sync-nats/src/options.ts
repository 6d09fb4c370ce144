import type { SyncTransportOptions } from "@teleportal/sync-core";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import type { NatsConnectionLike } from "./nats-connection-like.ts";

/** Everything but the connection. */
export interface NatsSyncSettings extends Omit<
  SyncTransportOptions<unknown>,
  "context" | "logger"
> {
  /**
   * Handed to nats.js, for example `{ authenticator: credsAuthenticator(file) }` or `{ tls: { caFile } }`. Refused is
   * what would break the promises: `noEcho: false`, `reconnect: false` and a limit of `maxReconnectAttempts`.
   */
  readonly options?: NodeConnectionOptions;
}

export interface NatsSyncOptions extends NatsSyncSettings {
  /**
   * A URL (`nats://`, or `tls://` for TLS), several in an array or with commas between, an object of nats.js
   * connection options, or a nats.js connection. A connection stays the caller's to close. Make it with
   * `noEcho: true`, or the server sends every message back; and with a `pingInterval` of seconds, or a link that went
   * dark is found late.
   * @example { servers: ["n1:4222", "n2:4222"], user: "me", pass: "…" }
   */
  readonly connection: string | readonly string[] | NodeConnectionOptions | NatsConnectionLike;
}
