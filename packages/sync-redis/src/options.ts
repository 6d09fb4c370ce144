import type { SyncTransportOptions } from "@teleportal/sync-core";
import type { RedisOptions } from "ioredis";
import type { RedisClientLike, RedisClusterLike } from "./redis-client-like.ts";

/** Everything but the connection. */
export interface RedisSyncSettings extends Omit<
  SyncTransportOptions<unknown>,
  "context" | "logger"
> {
  /**
   * Handed to ioredis for every connection. `enableOfflineQueue: true` is refused: that queue grows without bound
   * while Redis is away.
   */
  readonly options?: RedisOptions & Readonly<Record<string, unknown>>;
}

export interface RedisSyncOptions extends RedisSyncSettings {
  /**
   * - A connection string, see `createRedisServerSyncTransportFactoryFromConnectionString`.
   * - An object of ioredis connection options; with `sentinels` and `name` they lead to the master.
   * - An object with `cluster`, for Redis Cluster.
   * - An ioredis client. It is used to publish and stays the caller's to close; the subscriber is its `duplicate()`.
   * - An ioredis `Cluster`. It stays the caller's and is not used to publish: its nodes and `redisOptions` are where
   *   the connections go.
   * @example { host: "localhost", port: 6379, password: "…", db: 0 }
   * @example { sentinels: [{ host: "localhost", port: 26379 }], name: "mymaster", password: "…" }
   * @example { cluster: [{ host: "localhost", port: 6379 }], username: "…", password: "…" }
   */
  readonly connection:
    | string
    | RedisOptions
    | RedisClusterConnection
    | RedisClientLike
    | RedisClusterLike;
}

/** Redis Cluster: some of its nodes, and the ioredis options that connections to all of them share. */
export interface RedisClusterConnection extends Omit<
  RedisOptions,
  "host" | "port" | "path" | "db" | "sentinels" | "name" | "keyPrefix"
> {
  /** Nodes to begin with; the others are found through them. `port` is 6379 unless given. */
  readonly cluster: readonly { readonly host: string; readonly port?: number }[];
}
