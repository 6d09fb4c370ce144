import { SyncError } from "@teleportal/sync-core";
import type { SyncDriver } from "@teleportal/sync-core";
import type { RedisOptions } from "ioredis";
import type { NodeAddress } from "./cluster-topology.ts";
import { parseConnectionString, SENTINEL_PORT } from "./connection-string.ts";
import { NAME } from "./driver-traits.ts";
import type { RedisSyncOptions } from "./options.ts";
import { isRedisClient, isRedisCluster } from "./redis-client-like.ts";
import type { NatMap, RedisClientLike } from "./redis-client-like.ts";
import { createRedisClusterDriver } from "./redis-cluster-driver.ts";
import { createRedisDriver } from "./redis-driver.ts";
import { watchSentinels } from "./sentinel-watch.ts";

/**
 * Milliseconds after which an unanswered command counts as failed, so that nothing waits on a dead link for ever. Not for what
 * only publishes: a timer for each keystroke costs a tenth of it, and the heartbeat goes the same way.
 */
const COMMAND_TIMEOUT = 5000;

/** Milliseconds that a connection has to close by itself, so that one that is dead is soon replaced. */
const DISCONNECT_TIMEOUT = 200;

/** Milliseconds that the connection to a Sentinel may take before the next is tried. */
const SENTINEL_CONNECT_TIMEOUT = 2000;

/** The longest pause between two attempts to connect, in milliseconds. */
const MAX_RETRY_DELAY = 1000;

/** What callers may change. */
const DEFAULTS = {
  // A Sentinel that is dark would hold up the others.
  sentinelCommandTimeout: COMMAND_TIMEOUT,
  disconnectTimeout: DISCONNECT_TIMEOUT,
  retryStrategy: (times) => Math.min(times * 100, MAX_RETRY_DELAY),
} as const satisfies RedisOptions;

/** What the driver relies on. */
const FIXED = {
  enableOfflineQueue: false,
  autoResubscribe: false,
  // Publishes that a lost connection left unanswered fail at once and are repaired, not repeated out of order.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // Nothing is sent before it is connected, so nothing would ever connect it.
  lazyConnect: false,
  replyMapping: "legacy",
} as const satisfies RedisOptions;

/**
 * The driver for what `connection` names.
 *
 * @throws SyncError if ioredis is not installed or too old, or for an option that cannot work.
 */
export async function openDriver({
  connection,
  options = {},
  heartbeat = {},
}: Pick<RedisSyncOptions, "connection" | "options" | "heartbeat">): Promise<SyncDriver> {
  const given =
    typeof connection === "object" && "enableOfflineQueue" in connection ? connection : options;
  if (given.enableOfflineQueue || options.enableOfflineQueue) {
    throw new SyncError(
      NAME,
      "`enableOfflineQueue: true` would grow without bound while Redis is away",
      "leave it out; what is missed is repaired when Redis is back",
    );
  }

  async function openSingle(target: string | RedisOptions): Promise<SyncDriver> {
    const { Redis } = await importRedis();
    const given = typeof target === "string" ? {} : target;
    const all = { ...DEFAULTS, ...given, ...options, ...FIXED } satisfies RedisOptions;
    const open = (defaults: { readonly commandTimeout?: number }): RedisClientLike => {
      const own = { ...defaults, ...all };
      return typeof target === "string" ? new Redis(target, own) : new Redis(own);
    };
    const driver = createRedisDriver({
      publisher: open({}),
      subscriber: open({ commandTimeout: COMMAND_TIMEOUT }),
      ownsPublisher: true,
    });
    const { sentinels, name } = all;
    if (!sentinels || typeof name !== "string") return driver;
    const watch = watchSentinels(
      name,
      sentinels.map((address) => () => {
        const own = {
          username: all.sentinelUsername,
          password: all.sentinelPassword,
          tls: all.sentinelTLS,
          connectTimeout: SENTINEL_CONNECT_TIMEOUT,
          commandTimeout: all.sentinelCommandTimeout,
          disconnectTimeout: all.disconnectTimeout,
          host: address.host,
          port: address.port ?? SENTINEL_PORT,
          lazyConnect: true,
          enableReadyCheck: false,
          retryStrategy: () => null,
          replyMapping: "legacy",
        } as const satisfies RedisOptions;
        return new Redis(own);
      }),
      () => driver.reconnect?.(),
    );
    return {
      ...driver,
      async publish(channel, bytes) {
        await driver.publish(channel, bytes);
        // The number leaves out who is still at the old master: nobody is to take himself for alone by it.
        return undefined;
      },
      async close() {
        await Promise.all([watch.close(), driver.close()]);
      },
    };
  }

  async function openCluster(
    seeds: () => readonly NodeAddress[],
    nodeOptions: RedisOptions,
    natMap: NatMap | undefined,
  ): Promise<SyncDriver> {
    const { Redis, Command } = await importRedis();
    if (!Command.checkFlag("ENTER_SUBSCRIBER_MODE", "ssubscribe")) {
      throw new SyncError(NAME, "this ioredis has no sharded pub/sub", "update it to 5.3 or newer");
    }
    return createRedisClusterDriver({
      seeds,
      natMap,
      ...heartbeat,
      open(address, extra = {}) {
        const all = {
          ...DEFAULTS,
          commandTimeout: COMMAND_TIMEOUT,
          ...nodeOptions,
          ...options,
          ...extra,
          ...FIXED,
          // One that is asked for the nodes connects when it is told to.
          lazyConnect: extra.lazyConnect ?? false,
          // ioredis would put it in front of shard channels, which have the factory's already.
          keyPrefix: "",
          db: 0,
          ...address,
        } satisfies RedisOptions;
        return new Redis(all);
      },
    });
  }

  if (typeof connection === "string") {
    const target = parseConnectionString(connection);
    switch (target.type) {
      case "single":
        return openSingle(target.url);
      case "sentinel":
        return openSingle(target.options);
      case "cluster":
        return openCluster(() => target.seeds, target.options, undefined);
    }
  }
  if (isRedisCluster(connection)) {
    const cluster = connection;
    const { redisOptions = {}, natMap } = cluster.options;
    const seeds = (): NodeAddress[] =>
      cluster
        .nodes("all")
        .map(({ options: { host = "localhost", port = 6379 } }) => ({ host, port }));
    return openCluster(seeds, redisOptions, natMap);
  }
  if (isRedisClient(connection)) {
    const subscriber = connection.duplicate({
      commandTimeout: COMMAND_TIMEOUT,
      disconnectTimeout: DISCONNECT_TIMEOUT,
      ...options,
      ...FIXED,
    });
    // Its failures are heard as `error` and `close`.
    if (connection.status === "wait") connection.connect().catch(() => {});
    return createRedisDriver({ publisher: connection, subscriber, ownsPublisher: false });
  }
  if ("cluster" in connection) {
    const { cluster, natMap, ...nodeOptions } = connection;
    if (cluster.length === 0) {
      throw new SyncError(NAME, "`cluster` names no node", "name one, better two or three");
    }
    const seeds = cluster.map(({ host, port = 6379 }) => ({ host, port }));
    return openCluster(() => seeds, nodeOptions, natMap);
  }
  return openSingle(connection);
}

async function importRedis() {
  try {
    const { Redis, Command } = await import("ioredis");
    return { Redis, Command };
  } catch (cause) {
    throw new SyncError(NAME, "ioredis is not installed", "npm install ioredis", cause);
  }
}
