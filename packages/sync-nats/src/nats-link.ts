import type { NodeConnectionOptions } from "@nats-io/transport-node";
import type { NatsConnectionLike } from "./nats-connection-like.ts";
import { createOwnSockets } from "./own-sockets.ts";

/** Where the driver has its connection from. */
export interface NatsLink {
  readonly echo: "always" | "never";
  /** One attempt to connect. From then on the connection reconnects by itself. */
  connect(): Promise<NatsConnectionLike>;
  /** How long until the next attempt, in milliseconds; undefined if there can be none after the first. */
  retryDelay(): number | undefined;
  /** The connection no longer answers: nothing more is to be waited for on it. */
  abandon(connection: NatsConnectionLike): void;
  /** Gives it up, if it is the driver's to close; leaves nothing open. Settles also when the server is dark. */
  release(connection: NatsConnectionLike | undefined): Promise<void>;
}

/** A connection that the driver opens, and closes. */
export function createOwnLink(
  connect: (options: NodeConnectionOptions) => Promise<NatsConnectionLike>,
  options: NodeConnectionOptions,
): NatsLink {
  const sockets = createOwnSockets();
  /** The configured servers, and those that the cluster has told of. */
  const servers = new Set([options.servers ?? []].flat());
  return {
    echo: "never",
    async connect() {
      try {
        return await sockets.during(() =>
          connect(servers.size === 0 ? options : { ...options, servers: [...servers] }),
        );
      } catch (cause) {
        sockets.destroy();
        throw cause;
      }
    },
    retryDelay() {
      const { reconnectTimeWait = 0, reconnectJitter = 0 } = options;
      return reconnectTimeWait + Math.random() * reconnectJitter;
    },
    abandon(connection) {
      for (const { listen } of connection.getServers?.() ?? []) servers.add(listen);
      // By itself nats.js writes to it once more and waits for that: for ever, when what was written before has filled
      // the system's buffer (transport-node 3.4, `NodeTransport._closed`). Closing does not wait.
      void connection.close();
    },
    async release(connection) {
      await connection?.close();
      sockets.end();
    },
  };
}

/** A connection that was handed in: it stays open, and how it reconnects is up to its owner. */
export function borrowLink(connection: NatsConnectionLike): NatsLink {
  return {
    echo: connection.options?.noEcho ? "never" : "always",
    connect: () => Promise.resolve(connection),
    retryDelay: () => undefined,
    abandon() {},
    release: () => Promise.resolve(),
  };
}
