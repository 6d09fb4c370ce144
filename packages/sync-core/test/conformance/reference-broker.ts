import type { DriverCapabilities, DriverConnection, SyncDriver } from "@teleportal/sync-core";
import { afterTurn } from "@teleportal/sync-core";
import type { BrokerFaults, Way } from "@teleportal/sync-core/conformance";

type OnBytes = (bytes: Uint8Array) => void;

/** One connection of a driver to the broker, as sockets are: it may be cut, or go dark. */
interface Connection {
  readonly way: Way;
  readonly subscriptions: Map<string, OnBytes>;
  /** Publishes that a dark link has swallowed. */
  readonly unanswered: Set<(cause: Error) => void>;
  dark: boolean;
  lost(cause: Error): void;
  /** The link has gone dark: nobody tells a real client, but its keepalive finds out. */
  wentDark(): void;
}

/** A broker in memory that does everything right, with a link in front of it that can be broken. */
export interface ReferenceBroker {
  readonly faults: BrokerFaults;
  openDriver(way: Way): Promise<SyncDriver>;
}

export type ReferenceCapabilities = Partial<Omit<DriverCapabilities, "maxPayload" | "recovery">>;

/** When the keepalive of a driver without echo finds a dark link, in milliseconds. */
const KEEPALIVE = 20;

/** For so many turns of the event loop a broker that is restarted is away: long enough for something to be typed. */
const TURNS_AWAY = 5;

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

export function createReferenceBroker(declared: ReferenceCapabilities = {}): ReferenceBroker {
  const capabilities: DriverCapabilities = {
    ordering: "channel",
    echo: "always",
    delivery: "at-most-once",
    ...declared,
    recovery: "automatic",
    maxPayload: 64 * 1024,
  };
  const connections = new Set<Connection>();
  const waiting = new Set<() => void>();
  let link: "whole" | "cut" | "dark" = "whole";
  let running = true;

  function reachable(way: Way): boolean {
    return running && (way === "direct" || link === "whole");
  }

  function drop(connection: Connection, cause: Error): void {
    connections.delete(connection);
    for (const reject of connection.unanswered) reject(cause);
    connection.lost(cause);
  }

  /** Those that wait for a way to the broker try again. */
  function retry(): void {
    for (const connect of waiting) connect();
  }

  function deliver(channel: string, bytes: Uint8Array, from: Connection): number {
    let receivers = 0;
    for (const connection of connections) {
      if (!connection.subscriptions.has(channel)) continue;
      if (connection === from && capabilities.echo === "never") continue;
      receivers += 1;
      const hand = (): void => {
        const onBytes = connection.subscriptions.get(channel);
        if (!connection.dark && connections.has(connection)) onBytes?.(bytes.slice());
      };
      // Where it declares none, there is none: what is late comes after what follows it.
      if (capabilities.ordering === "none" && bytes.length % 3 === 0)
        afterTurn(() => afterTurn(hand));
      else afterTurn(hand);
      if (capabilities.delivery === "at-least-once" && bytes.length % 5 === 0) afterTurn(hand);
    }
    return receivers;
  }

  async function openDriver(way: Way): Promise<SyncDriver> {
    const handlers = new Map<string, OnBytes>();
    let listener: ((connection: DriverConnection) => void) | undefined;
    let connection: Connection | undefined;
    let closed = false;
    let keepalive: ReturnType<typeof setTimeout> | undefined;

    function connect(): void {
      if (closed || connection !== undefined) return;
      waiting.add(connect);
      if (!reachable(way)) return;
      waiting.delete(connect);
      const made: Connection = {
        way,
        subscriptions: new Map(handlers),
        unanswered: new Set(),
        dark: false,
        lost(cause) {
          clearTimeout(keepalive);
          if (closed) return;
          connection = undefined;
          listener?.({ state: "down", cause });
          afterTurn(connect);
        },
        wentDark() {
          if (capabilities.echo === "always") return;
          keepalive = setTimeout(() => drop(made, new Error("no answer to a ping")), KEEPALIVE);
        },
      };
      connection = made;
      connections.add(made);
      listener?.({ state: "up" });
    }

    function connected(): Connection {
      if (closed) throw new Error("[reference] the driver is closed: make a new one");
      if (connection === undefined) throw new Error("[reference] there is no link: wait for `up`");
      return connection;
    }

    return {
      name: "reference",
      capabilities,
      watch(onChange) {
        listener = onChange;
        connect();
        if (connection === undefined) onChange({ state: "down", cause: new Error("no way there") });
      },
      async publish(channel, bytes) {
        const from = connected();
        if (from.dark) {
          return new Promise((_resolve, reject) => from.unanswered.add(reject));
        }
        return deliver(channel, bytes.slice(), from);
      },
      async subscribe(channel, onBytes) {
        connected().subscriptions.set(channel, onBytes);
        handlers.set(channel, onBytes);
        return async () => {
          handlers.delete(channel);
          connection?.subscriptions.delete(channel);
        };
      },
      reconnect() {
        if (connection !== undefined) drop(connection, new Error("asked to reconnect"));
      },
      async close() {
        closed = true;
        clearTimeout(keepalive);
        waiting.delete(connect);
        if (connection !== undefined) drop(connection, new Error("the driver was closed"));
      },
    };
  }

  return {
    openDriver,
    faults: {
      async cut() {
        link = "cut";
        for (const connection of connections) {
          if (connection.way === "link") drop(connection, new Error("connection reset"));
        }
      },
      async darken() {
        link = "dark";
        for (const connection of connections) {
          if (connection.way !== "link") continue;
          connection.dark = true;
          connection.wentDark();
        }
      },
      async heal() {
        link = "whole";
        retry();
      },
      async restart() {
        running = false;
        for (const connection of connections) drop(connection, new Error("the broker ended"));
        for (let i = 0; i < TURNS_AWAY; i++) await turn();
        running = true;
        // One after the other, as connections come back: what the first ones say the last ones miss.
        for (const connect of waiting) {
          connect();
          await turn();
        }
      },
    },
  };
}
