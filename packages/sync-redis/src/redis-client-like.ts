import type { Buffer } from "node:buffer";
import type { Writable } from "node:stream";

/** What the driver needs of an ioredis client; ioredis 5 and 6 have it. */
export interface RedisClientLike {
  readonly status: string;
  /** The socket, once there is one. */
  readonly stream?:
    | Pick<Writable, "cork" | "uncork" | "writableCorked" | "writableLength">
    | undefined;
  publish(channel: string, message: Buffer): Promise<number>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  duplicate(override?: Record<string, unknown>): RedisClientLike;
  connect(): Promise<void>;
  ping(): Promise<unknown>;
  quit(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- ioredis has one overload per event name
  on(event: string, listener: (...args: any[]) => void): unknown;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  off(event: string, listener: (...args: any[]) => void): unknown;
}

/** What the driver needs of a connection to one node of a cluster. */
export interface RedisNodeLike extends RedisClientLike {
  spublish(channel: string, message: Buffer): Promise<unknown>;
  ssubscribe(...channels: string[]): Promise<unknown>;
  sunsubscribe(...channels: string[]): Promise<unknown>;
  cluster(subcommand: "SLOTS" | "INFO"): Promise<unknown>;
}

/** What the driver reads of an ioredis `Cluster`: where its nodes are, and how they are connected to. */
export interface RedisClusterLike {
  readonly isCluster: boolean;
  readonly options: {
    readonly redisOptions?: object | undefined;
    readonly natMap?: NatMap | undefined;
  };
  nodes(role?: "all"): readonly {
    readonly options: {
      readonly host?: string | undefined;
      readonly port?: number | undefined;
    };
  }[];
}

/** Where a client reaches a node whose announced `host:port` is that of another network. As in ioredis. */
export type NatMap =
  | Readonly<Record<string, { readonly host: string; readonly port: number }>>
  | ((address: string) => { host: string; port: number } | null);

/** Tells a client from an options object. */
export function isRedisClient(value: object): value is RedisClientLike {
  return "duplicate" in value && typeof value.duplicate === "function" && !isRedisCluster(value);
}

/** Tells a cluster client from the others. */
export function isRedisCluster(value: object): value is RedisClusterLike {
  return "isCluster" in value && value.isCluster === true;
}
