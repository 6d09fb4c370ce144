import { createSyncTransportFactory, SyncError } from "@teleportal/sync-core";
import type { Logger, SyncTransportFactory, SyncTransportOptions } from "@teleportal/sync-core";
import { createMemoryBus, processBus } from "./memory-bus.ts";
import type { MemoryBus } from "./memory-bus.ts";
import { createMemoryDriver } from "./memory-driver.ts";

export { createMemoryBus } from "./memory-bus.ts";
export type { MemoryBus } from "./memory-bus.ts";

export interface MemorySyncOptions extends Omit<
  SyncTransportOptions<unknown>,
  "context" | "logger"
> {
  /**
   * What the instances share.
   * @default one bus for the whole process
   */
  readonly bus?: MemoryBus;
}

/** Keeps the servers of one process in step. Give each server a factory of its own. */
export async function createMemoryServerSyncTransportFactory<Context>(
  options: MemorySyncOptions,
  context: Context,
  logger: Logger,
): Promise<SyncTransportFactory<Context>> {
  const { bus = processBus, ...rest } = options;
  return createSyncTransportFactory(createMemoryDriver(bus), { ...rest, context, logger });
}

const namedBuses = new Map<string, MemoryBus>();

/**
 * The same from a URL: `memory:` is the bus of the whole process, `memory:NAME` one for all who use that name.
 *
 * @throws SyncError for a URL of another scheme.
 */
export async function createMemoryServerSyncTransportFactoryFromConnectionString<Context>(
  url: string,
  context: Context,
  logger: Logger,
  settings: Omit<MemorySyncOptions, "bus"> = {},
): Promise<SyncTransportFactory<Context>> {
  const name = /^memory:(?:\/\/)?(.*)$/.exec(url)?.[1];
  if (name === undefined) {
    throw new SyncError("sync-memory", `"${url}" is no memory URL`, "use memory:, or memory:NAME");
  }
  let bus = name === "" ? processBus : namedBuses.get(name);
  if (bus === undefined) {
    bus = createMemoryBus();
    namedBuses.set(name, bus);
  }
  return createMemoryServerSyncTransportFactory({ ...settings, bus }, context, logger);
}
