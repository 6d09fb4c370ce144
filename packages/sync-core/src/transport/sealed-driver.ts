import type { SyncDriver } from "../contract/driver.ts";
import { SEAL_OVERHEAD } from "./seal.ts";
import type { Seal } from "./seal.ts";

/** A driver whose bytes are sealed on the broker; what cannot be opened goes to `refused` and no further. */
export function createSealedDriver(
  driver: SyncDriver,
  seal: Seal,
  refused: (channel: string) => void,
): SyncDriver {
  return {
    name: driver.name,
    get capabilities() {
      const { maxPayload, ...rest } = driver.capabilities;
      return { ...rest, maxPayload: maxPayload - SEAL_OVERHEAD };
    },
    watch: (listener) => driver.watch(listener),
    publish: (channel, bytes) => driver.publish(channel, seal.seal(channel, bytes)),
    ...(driver.together && { together: (publishAll) => driver.together?.(publishAll) }),
    subscribe: (channel, onBytes) =>
      driver.subscribe(channel, (sealed) => {
        const bytes = seal.open(channel, sealed);
        if (bytes === undefined) refused(channel);
        else onBytes(bytes);
      }),
    reconnect: () => driver.reconnect?.(),
    close: () => driver.close(),
  };
}
