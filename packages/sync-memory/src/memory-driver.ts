import { SyncError } from "@teleportal/sync-core";
import type { SyncDriver } from "@teleportal/sync-core";
import type { MemoryBus } from "./memory-bus.ts";

const NAME = "sync-memory";

/** Never out of reach, keeps the order, loses nothing. */
export function createMemoryDriver(bus: MemoryBus): SyncDriver {
  const open = new Set<() => void>();
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new SyncError(NAME, "the driver is closed", "make a new one");
  }

  return {
    name: NAME,
    capabilities: {
      ordering: "channel",
      echo: "always",
      delivery: "at-most-once",
      recovery: "none",
      maxPayload: Number.MAX_SAFE_INTEGER,
    },
    watch(listener) {
      listener({ state: "up" });
    },
    async publish(channel, bytes) {
      assertOpen();
      return bus.publish(channel, bytes);
    },
    async subscribe(channel, onBytes) {
      assertOpen();
      const end = bus.subscribe(channel, onBytes);
      open.add(end);
      return async () => {
        open.delete(end);
        end();
      };
    },
    async close() {
      closed = true;
      for (const end of open) end();
      open.clear();
    },
  };
}
