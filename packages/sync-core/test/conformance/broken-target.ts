import { createSyncTransportFactory } from "@teleportal/sync-core";
import type { ServerSyncTransportFactory, SyncDriver } from "@teleportal/sync-core";
import type { ConformanceTarget, FactoryOptions } from "@teleportal/sync-core/conformance";
import type { BrokenDriver } from "./broken-drivers/broken-driver.ts";
import type { BrokenFactory } from "./broken-factories/broken-factory.ts";
import { createReferenceBroker } from "./reference-broker.ts";
import { HEARTBEAT, referenceTarget } from "./reference-target.ts";

/** Long enough for memory, and short enough to wait for what does not come; in milliseconds. */
const PATIENCE = 5000;

export function brokenDriverTarget(broken: BrokenDriver): ConformanceTarget {
  const broker = createReferenceBroker(broken.broker);
  const process = new Set<SyncDriver>();
  const { openDriver, faults } = referenceTarget(broker, (driver): SyncDriver => {
    const capabilities = { ...driver.capabilities, ...broken.declares };
    return { ...driver, capabilities, ...broken.breaks({ ...driver, capabilities }, process) };
  });
  return {
    name: broken.title,
    patience: PATIENCE,
    openDriver,
    ...(faults !== undefined && broken.withoutFaults === undefined && { faults }),
  };
}

export function brokenFactoryTarget(broken: BrokenFactory): ConformanceTarget {
  const target = referenceTarget(createReferenceBroker(), (driver) => ({
    ...driver,
    ...broken.breaksDriver?.(driver),
  }));

  const process = new Set<ServerSyncTransportFactory>();

  function opened(driver: SyncDriver, options: FactoryOptions) {
    const factory = createSyncTransportFactory(driver, {
      ...options,
      heartbeat: HEARTBEAT,
      ...broken.options,
    });
    return { ...factory, ...broken.breaks?.(factory, process) };
  }

  return {
    ...target,
    name: broken.title,
    patience: PATIENCE,
    openFactory: async (options, way) => opened(await target.openDriver(way), options),
    async openWithCallersClient(options) {
      const client = await target.openDriver("direct");
      const close = broken.closesCallersClient ? client.close : async () => {};
      return {
        factory: opened({ ...client, close }, options),
        async works() {
          await client.publish("after the close", Uint8Array.of(1));
        },
        close: client.close,
      };
    },
  };
}
