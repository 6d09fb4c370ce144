import type { Msg, ServerInfo, Status } from "@nats-io/transport-node";
import type { KnownServer } from "./server-pool.ts";

/** What the driver needs of a NATS connection; those of `@nats-io/transport-node` have it. */
export interface NatsConnectionLike {
  /** Of the server it is connected to at this moment. */
  readonly info?: Pick<ServerInfo, "max_payload"> | undefined;
  /** What it was made with; undefined counts as the client's defaults. */
  readonly options?: { readonly noEcho?: boolean };
  publish(subject: string, payload: Uint8Array): void;
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, message: Pick<Msg, "data">) => void },
  ): { unsubscribe(): void };
  flush(): Promise<void>;
  status(): AsyncIterable<Status> & { stop?(): void };
  closed(): Promise<void | Error>;
  close(): Promise<void>;
  reconnect(): Promise<void>;
  isClosed(): boolean;
  /** Those it was given, and those that the cluster has told of. */
  getServers?(): readonly KnownServer[];
}

/** Tells a connection from an options object. */
export function isNatsConnection(value: object): value is NatsConnectionLike {
  return "flush" in value && typeof value.flush === "function";
}
