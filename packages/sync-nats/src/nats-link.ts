import type { NodeConnectionOptions } from "@nats-io/transport-node";
import type { OwnConnectionOptions } from "./connection-options.ts";
import type { NatsConnectionLike } from "./nats-connection-like.ts";
import { closingLeftovers } from "./closing-leftovers.ts";
import { createServerPool } from "./server-pool.ts";

/** Where the driver has its connections from. */
export interface NatsLink {
  readonly echo: "always" | "never";
  /** Tries each server once. What it resolves with is connected; when it closes, the next is to be asked for. */
  connect(): Promise<NatsConnectionLike>;
  /** How long until the next attempt, in milliseconds; undefined if there can be none after the first. */
  retryDelay(): number | undefined;
  /** Nothing comes back on the connection: has it replaced, without waiting for anything on it. */
  abandon(connection: NatsConnectionLike): void;
  /** Gives it up, if it is the driver's to close; leaves nothing open. Settles also when the server is dark. */
  release(connection: NatsConnectionLike | undefined): Promise<void>;
}

/**
 * Connections that the driver opens, and closes. Each ends with its first interruption: nats.js would connect again from
 * within, where nobody can tell its sockets from those of the application, except at a cost for every promise of it.
 */
export function createOwnLink(
  connect: (options: NodeConnectionOptions) => Promise<NatsConnectionLike>,
  options: OwnConnectionOptions,
): NatsLink {
  const pool = createServerPool(options.servers, options.noRandomize ?? false);
  const ending = new AbortController();
  let current: { readonly server: string; readonly connection: NatsConnectionLike } | undefined;
  let nextAt = 0;

  function defaultDelay(): number {
    const { reconnectTimeWait = 0, reconnectJitter = 0, reconnectJitterTLS = 0, tls } = options;
    return reconnectTimeWait + Math.random() * (tls ? reconnectJitterTLS : reconnectJitter);
  }

  async function connectTo(server: string): Promise<NatsConnectionLike> {
    const servername = pool.tlsNameOf(server);
    // What `tls` has beside the certificates goes to Node.js.
    const tls = servername === undefined ? options.tls : { servername, ...options.tls };
    const connection = await closingLeftovers(ending.signal, async () => {
      const connected = await connect({
        ...options,
        servers: [server],
        ...(tls && { tls }),
        // Of one server: its addresses, so that another is the first to be tried next time.
        noRandomize: false,
        // Waiting is for the whole attempt, and done here.
        reconnectDelayHandler: () => 0,
      });
      // nats.js goes on to the next address of a server also when the last has closed the connection for good
      // (nats-core 3.4, `ProtocolHandler._doDial`).
      if (!connected.isClosed()) return connected;
      throw (await connected.closed()) ?? new Error("the server closed the connection");
    });
    current = { server, connection };
    return connection;
  }

  return {
    echo: "never",
    async connect() {
      if (current !== undefined) {
        pool.lost(current.server, current.connection.getServers?.() ?? []);
        current = undefined;
      }
      const now = performance.now();
      nextAt = now + defaultDelay();
      // One that throws fails the attempt, which is how it is heard of.
      if (options.reconnectDelayHandler) nextAt = now + options.reconnectDelayHandler();
      let failure: unknown;
      for (const server of pool.inTurn) {
        if (ending.signal.aborted) break;
        try {
          return await connectTo(server);
        } catch (cause) {
          failure = cause;
        }
      }
      throw failure;
    },
    retryDelay: () => Math.max(0, nextAt - performance.now()),
    abandon(connection) {
      // By itself nats.js writes to it once more and waits for that: for ever, when what was written before has filled
      // the system's buffer (transport-node 3.4, `NodeTransport._closed`). Closing does not wait.
      void connection.close();
    },
    async release(connection) {
      ending.abort();
      await connection?.close();
    },
  };
}

/** A connection that was handed in: it stays open, and how it reconnects is up to its owner. */
export function borrowLink(connection: NatsConnectionLike): NatsLink {
  return {
    echo: connection.options?.noEcho ? "never" : "always",
    connect: () => Promise.resolve(connection),
    retryDelay: () => undefined,
    abandon() {
      connection.reconnect().catch(() => {});
    },
    release: () => Promise.resolve(),
  };
}
