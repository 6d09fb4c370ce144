import { openSyncTransportFactory } from "@teleportal/sync-core";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { openDriver } from "./open-driver.ts";
import type { RedisSyncOptions, RedisSyncSettings } from "./options.ts";

export type { RedisClusterConnection, RedisSyncOptions, RedisSyncSettings } from "./options.ts";
export type { NatMap, RedisClientLike, RedisClusterLike } from "./redis-client-like.ts";

/**
 * Keeps servers in step over Redis pub/sub: one Redis, the master that Sentinels name, or a Redis Cluster (7.0 or
 * newer). Resolves after the first attempt to connect, successful or not: while Redis cannot be reached the factory is
 * `degraded`, and everything connects and catches up by itself later.
 *
 * @throws SyncError if ioredis is not installed, or for an option that cannot work.
 */
export async function createRedisServerSyncTransportFactory<Context>(
  options: RedisSyncOptions,
  context: Context,
  logger: Logger,
): Promise<SyncTransportFactory<Context>> {
  return openSyncTransportFactory(await openDriver(options), { ...options, context, logger });
}

/**
 * The same from a connection string:
 *
 * - `redis://user:password@host:6379/0`; of parameters only `?db=` and `?family=`
 * - `redis+cluster://user:password@host:6379,host:6379`: some nodes of a Redis Cluster
 * - `redis+sentinel://user:password@host:26379,host:26379/master-name?db=0`: some Sentinels; user and password are the
 *   master's, the Sentinels' own are `options.sentinelUsername` and `options.sentinelPassword`
 *
 * and with `rediss` for `redis` over TLS. Special characters in user and password are percent-encoded.
 *
 * @throws SyncError for a string of another form, and as the function above.
 */
export function createRedisServerSyncTransportFactoryFromConnectionString<Context>(
  url: string,
  context: Context,
  logger: Logger,
  settings: RedisSyncSettings = {},
): Promise<SyncTransportFactory<Context>> {
  return createRedisServerSyncTransportFactory({ ...settings, connection: url }, context, logger);
}
