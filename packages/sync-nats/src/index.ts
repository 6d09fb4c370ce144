import { openSyncTransportFactory } from "@teleportal/sync-core";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { openDriver } from "./open-driver.ts";
import type { NatsSyncOptions, NatsSyncSettings } from "./options.ts";

export type { NatsConnectionLike } from "./nats-connection-like.ts";
export type { NatsSyncOptions, NatsSyncSettings } from "./options.ts";

/**
 * Keeps servers in step over core NATS. Resolves after the first attempt to connect, successful or not: while NATS
 * cannot be reached the factory is `degraded`, and everything connects and catches up by itself later.
 *
 * @throws SyncError if `@nats-io/transport-node` is not installed, or for an option that cannot work.
 */
export async function createNatsServerSyncTransportFactory<Context>(
  options: NatsSyncOptions,
  context: Context,
  logger: Logger,
): Promise<SyncTransportFactory<Context>> {
  return openSyncTransportFactory(await openDriver(options), { ...options, context, logger });
}

/**
 * The same from a URL, such as `nats://user:password@host:4222,nats://host2` or `tls://token@host`.
 *
 * @throws SyncError for a URL of another scheme, and as the function above.
 */
export function createNatsServerSyncTransportFactoryFromConnectionString<Context>(
  url: string,
  context: Context,
  logger: Logger,
  settings: NatsSyncSettings = {},
): Promise<SyncTransportFactory<Context>> {
  return createNatsServerSyncTransportFactory({ ...settings, connection: url }, context, logger);
}
