import { Buffer } from "node:buffer";
import { SyncError } from "@teleportal/sync-core";
import type { DriverConnection, SyncDriver } from "@teleportal/sync-core";
import type { RedisClientLike } from "./redis-client-like.ts";

/**
 * Larger envelopes go in parts: one big document then neither blocks the others on the connection, nor runs into
 * Redis's output-buffer limit for subscribers (32 MiB, or 8 MiB for a minute, unless configured lower).
 */
const MAX_PAYLOAD = 256 * 1024;

/** How many channels one SUBSCRIBE names when all are restored. */
const RESUBSCRIBE_GROUP = 500;

/** When an unanswered first connection is called `down`, in milliseconds; it goes on being tried. */
const FIRST_CONTACT_TIMEOUT = 2000;

const NAME = "sync-redis";

/** The two connections, and which of them the driver has opened itself and therefore closes. */
export interface RedisClients {
  readonly publisher: RedisClientLike;
  readonly subscriber: RedisClientLike;
  readonly ownsPublisher: boolean;
}

/** A driver, and when its first attempt to connect has ended one way or the other. */
export interface RedisDriver extends SyncDriver {
  readonly firstContact: Promise<void>;
}

/**
 * Redis PUBLISH and SUBSCRIBE over two connections, however many documents: a connection with subscriptions may send
 * nothing else. ioredis reconnects both; the driver restores the subscriptions itself, since ioredis tells nobody
 * when its own restoring is done, and says `up` only then.
 */
export function createRedisDriver(clients: RedisClients): RedisDriver {
  const { publisher, subscriber, ownsPublisher } = clients;
  const handlers = new Map<string, (bytes: Uint8Array) => void>();
  let listener: ((connection: DriverConnection) => void) | undefined;
  let connection: DriverConnection = { state: "down", cause: "not connected yet" };
  let known = false;
  let lastError: unknown;
  let restoring = 0;
  let closed = false;
  let settleFirstContact: () => void;
  const firstContact = new Promise<void>((resolve) => {
    settleFirstContact = resolve;
  });
  const firstContactTimer = setTimeout(
    () => set({ state: "down", cause: lastError ?? "no answer yet" }),
    FIRST_CONTACT_TIMEOUT,
  );

  function set(next: DriverConnection): void {
    clearTimeout(firstContactTimer);
    connection = next;
    known = true;
    settleFirstContact();
    if (!closed) listener?.(next);
  }

  function onMessage(channel: Buffer, message: Buffer): void {
    handlers.get(channel.toString())?.(message);
  }

  function onError(error: unknown): void {
    lastError = error;
  }

  function onClose(): void {
    restoring += 1;
    set({ state: "down", cause: lastError ?? "the connection was closed" });
  }

  async function onReady(): Promise<void> {
    if (publisher.status !== "ready" || subscriber.status !== "ready") return;
    restoring += 1;
    const attempt = restoring;
    try {
      const channels = [...handlers.keys()];
      for (let i = 0; i < channels.length; i += RESUBSCRIBE_GROUP) {
        await subscriber.subscribe(...channels.slice(i, i + RESUBSCRIBE_GROUP));
        if (attempt !== restoring || closed) return;
      }
    } catch (error) {
      if (attempt !== restoring || closed) return;
      lastError = error;
      // Half restored is not up: a new connection starts over.
      subscriber.disconnect(true);
      return;
    }
    lastError = undefined;
    set({ state: "up" });
  }

  const ready = (): void => void onReady();
  for (const client of [publisher, subscriber]) {
    client.on("error", onError);
    client.on("close", onClose);
    client.on("ready", ready);
  }
  subscriber.on("messageBuffer", onMessage);
  ready();

  function assertUp(what: string): void {
    if (connection.state === "up") return;
    throw new SyncError(NAME, `${what} without a connection`, "wait for `up`", connection.cause);
  }

  return {
    name: NAME,
    firstContact,
    capabilities: {
      ordering: "channel",
      echo: "always",
      delivery: "at-most-once",
      maxPayload: MAX_PAYLOAD,
    },
    watch(onChange) {
      listener = onChange;
      if (known) onChange(connection);
    },
    async publish(channel, bytes) {
      assertUp("publish");
      return publisher.publish(
        channel,
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      );
    },
    async subscribe(channel, onBytes) {
      assertUp("subscribe");
      handlers.set(channel, onBytes);
      try {
        await subscriber.subscribe(channel);
      } catch (cause) {
        handlers.delete(channel);
        throw cause;
      }
      return async () => {
        handlers.delete(channel);
        // Without a connection there is nothing to give up: only `handlers` is restored.
        if (connection.state === "up") await subscriber.unsubscribe(channel);
      };
    },
    reconnect() {
      for (const client of [publisher, subscriber]) client.disconnect(true);
    },
    async close() {
      closed = true;
      clearTimeout(firstContactTimer);
      settleFirstContact();
      for (const client of [publisher, subscriber]) {
        client.off("close", onClose);
        client.off("ready", ready);
      }
      subscriber.off("messageBuffer", onMessage);
      await Promise.all([end(subscriber), ownsPublisher ? end(publisher) : undefined]);
      // The own connections keep it: an `error` that comes late and finds no listener is printed by ioredis.
      if (!ownsPublisher) publisher.off("error", onError);
    },
  };
}

/** Ends a connection whatever its state; resolves when nothing of it is left. */
async function end(client: RedisClientLike): Promise<void> {
  if (client.status === "ready") {
    try {
      // Lets replies that are on their way arrive.
      await client.quit();
    } catch {
      // Cut while saying goodbye: it is closed all the same, below.
    }
  }
  // These have no socket, and ioredis emits no `end` for them.
  const idle = ["wait", "reconnecting", "end"].includes(client.status);
  const ended = new Promise<void>((resolve) => {
    client.on("end", () => resolve());
  });
  client.disconnect();
  if (!idle) await ended;
}
