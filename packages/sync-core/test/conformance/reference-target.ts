import { createSyncTransportFactory } from "@teleportal/sync-core";
import type { SyncDriver } from "@teleportal/sync-core";
import type { ConformanceTarget } from "@teleportal/sync-core/conformance";
import type { ReferenceBroker } from "./reference-broker.ts";

/** In memory all goes fast: what has not happened by then will not, in milliseconds. */
const PATIENCE = 6000;

/** Finds a dead link well within the patience, and takes no busy machine for one. */
export const HEARTBEAT = { interval: 40, deadline: 1000, lease: 3000 };

/** The reference adapter as the suite sees it, with its driver changed by `change`. */
export function referenceTarget(
  broker: ReferenceBroker,
  change: (driver: SyncDriver) => SyncDriver = (driver) => driver,
): ConformanceTarget & Required<Pick<ConformanceTarget, "openDriver" | "openFactory">> {
  async function openDriver(way: "direct" | "link"): Promise<SyncDriver> {
    return change(await broker.openDriver(way));
  }

  return {
    name: "reference",
    patience: PATIENCE,
    faults: broker.faults,
    openDriver,
    openFactory: async (options, way) =>
      createSyncTransportFactory(await openDriver(way), { ...options, heartbeat: HEARTBEAT }),
    async openWithCallersClient(options) {
      const client = await openDriver("direct");
      // The driver is the client here, and one that only borrows it is around it.
      const borrowing: SyncDriver = { ...client, close: async () => {} };
      return {
        factory: createSyncTransportFactory(borrowing, { ...options, heartbeat: HEARTBEAT }),
        async works() {
          await client.publish("after the close", Uint8Array.of(1));
        },
        close: client.close,
      };
    },
  };
}
