import { SyncError } from "@teleportal/sync-core";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";

/**
 * Options of `@teleportal/sync-redis`, spelled out so that these types need neither it nor ioredis; that package
 * documents and types each of them in full.
 */
export interface RedisSyncSettings {
  /** @default "teleportal:sync:" */
  readonly keyPrefix?: string;
  /** Handed to ioredis, for example `{ connectTimeout: 2000 }`. */
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface RedisSyncOptions extends RedisSyncSettings {
  /** A URL, ioredis connection options, or an ioredis client. */
  readonly connection: string | object;
}

/**
 * `createRedisServerSyncTransportFactory` of `@teleportal/sync-redis`, which is loaded by this call and not before.
 *
 * @throws SyncError naming the command that installs it, if it or ioredis is missing.
 */
export async function createRedisServerSyncTransportFactory<Context>(
  options: RedisSyncOptions,
  context: Context,
  logger: Logger,
): Promise<SyncTransportFactory<Context>> {
  const adapter = await importAdapter();
  return adapter.createRedisServerSyncTransportFactory(options, context, logger);
}

/** The same from a URL: `redis://…`, or `rediss://…` for TLS. */
export async function createRedisServerSyncTransportFactoryFromConnectionString<Context>(
  url: string,
  context: Context,
  logger: Logger,
  settings: RedisSyncSettings = {},
): Promise<SyncTransportFactory<Context>> {
  const adapter = await importAdapter();
  return adapter.createRedisServerSyncTransportFactoryFromConnectionString(
    url,
    context,
    logger,
    settings,
  );
}

async function importAdapter(): Promise<typeof import("@teleportal/sync-redis")> {
  try {
    return await import("@teleportal/sync-redis");
  } catch (cause) {
    throw new SyncError(
      "teleportal",
      "@teleportal/sync-redis cannot be loaded",
      "npm install @teleportal/sync-redis ioredis",
      cause,
    );
  }
}
