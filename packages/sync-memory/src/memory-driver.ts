import type { SyncDriver } from "@teleportal/sync-core";
import type { MemoryBus } from "./memory-bus.ts";

/** Never out of reach, keeps the order, loses nothing. */
export function createMemoryDriver(bus: MemoryBus): SyncDriver {
  const open = new Set<() => void>();

  return {
    name: "sync-memory",
    capabilities: {
      ordering: "channel",
      echo: "always",
      delivery: "at-most-once",
      maxPayload: Number.MAX_SAFE_INTEGER,
    },
    watch(listener) {
      listener({ state: "up" });
    },
    async publish(channel, bytes) {
      return bus.publish(channel, bytes);
    },
    async subscribe(channel, onBytes) {
      const end = bus.subscribe(channel, onBytes);
      open.add(end);
      return async () => {
        open.delete(end);
        end();
      };
    },
    async close() {
      for (const end of open) end();
      open.clear();
    },
  };
}
