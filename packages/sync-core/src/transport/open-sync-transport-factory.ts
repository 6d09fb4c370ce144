import type { SyncDriver } from "../contract/driver.ts";
import type { SyncTransportOptions } from "./options.ts";
import { createSyncTransportFactory } from "./sync-transport-factory.ts";
import type { SyncTransportFactory } from "./sync-transport-factory.ts";

/**
 * `createSyncTransportFactory`, for an adapter that has just made the driver: resolves when the driver's first attempt
 * to connect has ended, successful or not, and closes the driver if the options are refused.
 *
 * @throws SyncError as `createSyncTransportFactory`.
 */
export async function openSyncTransportFactory<Context>(
  driver: SyncDriver,
  options: SyncTransportOptions<Context>,
): Promise<SyncTransportFactory<Context>> {
  let factory: SyncTransportFactory<Context>;
  try {
    factory = createSyncTransportFactory(driver, options);
  } catch (error) {
    await driver.close();
    throw error;
  }
  await factory.firstContact;
  return factory;
}
