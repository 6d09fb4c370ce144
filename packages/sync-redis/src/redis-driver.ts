import type { Buffer } from "node:buffer";
import { createConnectionState, SyncError } from "@teleportal/sync-core";
import type { SyncDriver } from "@teleportal/sync-core";
import { bufferOver } from "./buffer-over.ts";
import { createConnectionPair } from "./connection-pair.ts";
import type { RedisClients } from "./connection-pair.ts";
import { CAPABILITIES, NAME, RESTORE_GROUP } from "./driver-traits.ts";
import { isRefusal } from "./refusal.ts";
import { releaseMuch, writeTogether } from "./write-together.ts";

/** After which time subscriptions that Redis has refused are tried again, in milliseconds. */
const REFUSED_DELAY = 1000;

/**
 * Redis PUBLISH and SUBSCRIBE over two connections, however many documents. ioredis reconnects both, through
 * Sentinels too; the driver restores the subscriptions itself, since ioredis tells nobody when its own restoring is
 * done, and says `up` only then.
 */
export function createRedisDriver(clients: RedisClients): SyncDriver {
  const { publisher, subscriber } = clients;
  const handlers = new Map<string, (bytes: Uint8Array) => void>();
  let restoring = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  function onMessage(channel: Buffer, message: Buffer): void {
    handlers.get(channel.toString())?.(message);
  }

  function onLost(): void {
    clearTimeout(retry);
    restoring += 1;
    state.set({ state: "down", cause: pair.failure ?? "the connection was closed" });
  }

  async function restore(): Promise<void> {
    restoring += 1;
    const attempt = restoring;
    try {
      const channels = [...handlers.keys()];
      for (let i = 0; i < channels.length; i += RESTORE_GROUP) {
        const group = channels.slice(i, i + RESTORE_GROUP).filter((name) => handlers.has(name));
        if (group.length > 0) await subscriber.subscribe(...group);
        if (attempt !== restoring || state.closed) return;
      }
      // Those that were given up meanwhile are not to be paid for until the next restoring.
      const given = channels.filter((name) => !handlers.has(name));
      if (given.length > 0) await subscriber.unsubscribe(...given);
      if (attempt !== restoring || state.closed) return;
    } catch (error) {
      if (attempt !== restoring || state.closed) return;
      pair.failure = error;
      // Half restored is not up. What Redis refuses it would refuse on a new connection too; anything else starts over.
      if (isRefusal(error)) retry = setTimeout(() => void restore(), REFUSED_DELAY);
      else pair.replace(subscriber);
      return;
    }
    pair.failure = undefined;
    state.set({ state: "up" });
  }

  function assertPublishing(): void {
    state.assertUp("publish");
    if (pair.ready) return;
    // A connection that is being replaced is not told yet; a client of the caller's may queue meanwhile.
    throw new SyncError(NAME, "publish on a lost connection", "wait for `up`", pair.failure);
  }

  const pair = createConnectionPair(clients, { ready: () => void restore(), lost: onLost });
  const state = createConnectionState({ name: NAME, failure: () => pair.failure });
  subscriber.on("messageBuffer", onMessage);

  return {
    name: NAME,
    capabilities: CAPABILITIES,
    watch: state.watch,
    // With the client's own promise: an async function's takes three turns of the microtask queue more for each keystroke.
    publish(channel, bytes) {
      try {
        assertPublishing();
        const published = publisher.publish(channel, bufferOver(bytes));
        releaseMuch(publisher);
        return published;
      } catch (cause) {
        return Promise.reject(cause);
      }
    },
    together: (publishAll) => writeTogether([publisher], publishAll),
    async subscribe(channel, onBytes) {
      state.assertUp("subscribe");
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
        if (!state.up) return;
        try {
          await subscriber.unsubscribe(channel);
        } catch (cause) {
          // A subscription ends with its connection.
          if (isRefusal(cause)) throw cause;
        }
      };
    },
    reconnect: () => pair.replace(),
    async close() {
      state.close();
      clearTimeout(retry);
      handlers.clear();
      subscriber.off("messageBuffer", onMessage);
      await pair.close();
    },
  };
}
