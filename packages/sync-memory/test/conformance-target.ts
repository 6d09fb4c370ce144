import type { ConformanceTarget } from "@teleportal/sync-core/conformance";
import { createMemoryBus, createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import { createMemoryDriver } from "../src/memory-driver.ts";

const bus = createMemoryBus();

export const target: ConformanceTarget = {
  name: "sync-memory",
  openDriver: async () => createMemoryDriver(bus),
  openFactory: ({ keyPrefix, context, logger }) =>
    createMemoryServerSyncTransportFactory({ bus, keyPrefix }, context, logger),
};
