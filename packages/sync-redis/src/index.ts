import { createSyncTransportFactory, SyncError } from "@teleportal/sync-core";
import type { Logger, SyncTransportFactory, SyncTransportOptions } from "@teleportal/sync-core";
import type { RedisOptions } from "ioredis";
import { isRedisClient } from "./redis-client-like.ts";
import type { RedisClientLike } from "./redis-client-like.ts";
import { createRedisDriver } from "./redis-driver.ts";
import type { RedisClients } from "./redis-driver.ts";

export type { RedisClientLike } from "./redis-client-like.ts";

/** Everything but the connection. */
export interface RedisSyncSettings extends Omit<
  SyncTransportOptions<unknown>,
  "context" | "logger"
> {
  /**
   * Handed to ioredis for both connections. `enableOfflineQueue: true` is refused: that queue grows without bound
   * while Redis is away.
   */
  readonly options?: RedisOptions & Readonly<Record<string, unknown>>;
}

export interface RedisSyncOptions extends RedisSyncSettings {
  /**
   * A URL (`redis://`, or `rediss://` for TLS), an object of ioredis connection options, or an ioredis client. A
   * client is used to publish and stays the caller's to close; the subscriber is its `duplicate()`.
   * @example { host: "localhost", port: 6379, password: "…", db: 0 }
   */
  readonly connection: string | RedisOptions | RedisClientLike;
}

const NAME = "sync-redis";

/** Milliseconds after which an unanswered command counts as failed, so that nothing waits on a dead link for ever. */
const COMMAND_TIMEOUT = 5000;

/** Milliseconds that a connection has to close by itself, so that one that is dead is soon replaced. */
const DISCONNECT_TIMEOUT = 200;

/**
 * Keeps servers in step over Redis pub/sub. Resolves after the first attempt to connect, successful or not: while
 * Redis cannot be reached the factory is `degraded`, and everything connects and catches up by itself later.
 *
 * @throws SyncError if ioredis is not installed, or for an option that cannot work.
 */
export async function createRedisServerSyncTransportFactory<Context>(
  options: RedisSyncOptions,
  context: Context,
  logger: Logger,
): Promise<SyncTransportFactory<Context>> {
  const { connection, options: clientOptions, ...settings } = options;
  const driver = createRedisDriver(await openClients(connection, clientOptions ?? {}));
  const factory = createSyncTransportFactory(driver, { ...settings, context, logger });
  await driver.firstContact;
  return factory;
}

/**
 * The same from a URL, such as `redis://user:password@host:6379/0` or `rediss://host`.
 *
 * @throws SyncError for a URL of another scheme, and as the function above.
 */
export function createRedisServerSyncTransportFactoryFromConnectionString<Context>(
  url: string,
  context: Context,
  logger: Logger,
  settings: RedisSyncSettings = {},
): Promise<SyncTransportFactory<Context>> {
  return createRedisServerSyncTransportFactory({ ...settings, connection: url }, context, logger);
}

async function openClients(
  connection: RedisSyncOptions["connection"],
  clientOptions: RedisOptions,
): Promise<RedisClients> {
  if (clientOptions.enableOfflineQueue) {
    throw new SyncError(
      NAME,
      "`enableOfflineQueue: true` would grow without bound while Redis is away",
      "leave it out; what is missed is repaired when Redis is back",
    );
  }
  const fixed = {
    enableOfflineQueue: false,
    autoResubscribe: false,
    // Publishes that a lost connection left unanswered fail at once and are repaired, not repeated out of order.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    replyMapping: "legacy",
  } as const satisfies RedisOptions;

  if (typeof connection === "object" && isRedisClient(connection)) {
    const subscriber = connection.duplicate({ ...clientOptions, ...fixed, lazyConnect: false });
    return { publisher: connection, subscriber, ownsPublisher: false };
  }
  const Redis = await importRedis();
  const options = {
    commandTimeout: COMMAND_TIMEOUT,
    disconnectTimeout: DISCONNECT_TIMEOUT,
    ...(typeof connection === "string" ? optionsFromUrl(connection) : connection),
    ...clientOptions,
    ...fixed,
  } satisfies RedisOptions;
  const open = (): RedisClientLike =>
    typeof connection === "string" ? new Redis(connection, options) : new Redis(options);
  return { publisher: open(), subscriber: open(), ownsPublisher: true };
}

/** ioredis reads the URL; here only what it would take for a host name without complaint is refused. */
function optionsFromUrl(url: string): RedisOptions {
  let protocol: string;
  try {
    protocol = new URL(url).protocol;
  } catch (cause) {
    throw new SyncError(NAME, "the connection string is not a URL", EXPECTED_URL, cause);
  }
  if (protocol !== "redis:" && protocol !== "rediss:") {
    throw new SyncError(NAME, `the connection string has the scheme ${protocol}`, EXPECTED_URL);
  }
  return {};
}

const EXPECTED_URL = "use redis://host:6379/0, or rediss:// for TLS";

async function importRedis(): Promise<typeof import("ioredis").Redis> {
  try {
    return (await import("ioredis")).Redis;
  } catch (cause) {
    throw new SyncError(NAME, "ioredis is not installed", "npm install ioredis", cause);
  }
}
