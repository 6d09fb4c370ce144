import { createMemoryBus } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";

/** A bus that tells how many subscriptions to documents there are. */
export function createCountedBus(): MemoryBus & { readonly subscriptions: number } {
  const bus = createMemoryBus();
  let subscriptions = 0;
  return {
    publish: bus.publish,
    subscribe(channel, onBytes) {
      const end = bus.subscribe(channel, onBytes);
      // Names with NUL are the transport's own.
      if (channel.includes("\0")) return end;
      subscriptions += 1;
      return () => {
        subscriptions -= 1;
        end();
      };
    },
    get subscriptions() {
      return subscriptions;
    },
  };
}
