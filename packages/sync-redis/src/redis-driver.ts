import type { Buffer } from "node:buffer";
import { bufferOver } from "./buffer-over.ts";
import { createConnectionPair } from "./connection-pair.ts";
import type { RedisClients } from "./connection-pair.ts";
import { CAPABILITIES, NAME, RESTORE_GROUP } from "./driver-traits.ts";
import { createDriverState } from "./driver-state.ts";
import type { RedisDriver } from "./driver-state.ts";
import { isRefusal } from "./refusal.ts";

/**
 * Redis PUBLISH and SUBSCRIBE over two connections, however many documents. ioredis reconnects both, through
 * Sentinels too; the driver restores the subscriptions itself, since ioredis tells nobody when its own restoring is
 * done, and says `up` only then.
 */
export function createRedisDriver(clients: RedisClients): RedisDriver {
  const { publisher, subscriber } = clients;
  const handlers = new Map<string, (bytes: Uint8Array) => void>();
  let restoring = 0;

  function onMessage(channel: Buffer, message: Buffer): void {
    handlers.get(channel.toString())?.(message);
  }

  function onLost(): void {
    restoring += 1;
    state.set({ state: "down", cause: pair.failure ?? "the connection was closed" });
  }

  async function restore(): Promise<void> {
    restoring += 1;
    const attempt = restoring;
    try {
      const channels = [...handlers.keys()];
      for (let i = 0; i < channels.length; i += RESTORE_GROUP) {
        await subscriber.subscribe(...channels.slice(i, i + RESTORE_GROUP));
        if (attempt !== restoring || state.closed) return;
      }
    } catch (error) {
      if (attempt !== restoring || state.closed) return;
      pair.failure = error;
      // Half restored is not up: a new connection starts over.
      pair.replace(subscriber);
      return;
    }
    pair.failure = undefined;
    state.set({ state: "up" });
  }

  const pair = createConnectionPair(clients, { ready: () => void restore(), lost: onLost });
  const state = createDriverState(() => pair.failure);
  subscriber.on("messageBuffer", onMessage);

  return {
    name: NAME,
    firstContact: state.firstContact,
    capabilities: CAPABILITIES,
    watch: state.watch,
    async publish(channel, bytes) {
      state.assertUp("publish");
      return publisher.publish(channel, bufferOver(bytes));
    },
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
      handlers.clear();
      subscriber.off("messageBuffer", onMessage);
      await pair.close();
    },
  };
}
