import type { Buffer } from "node:buffer";

/** What the driver needs of an ioredis client; ioredis 5 and 6 have it. */
export interface RedisClientLike {
  readonly status: string;
  publish(channel: string, message: Buffer): Promise<number>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  duplicate(override?: Record<string, unknown>): RedisClientLike;
  connect(): Promise<void>;
  quit(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- ioredis has one overload per event name
  on(event: string, listener: (...args: any[]) => void): unknown;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  off(event: string, listener: (...args: any[]) => void): unknown;
}

/** Tells a client from an options object. */
export function isRedisClient(value: object): value is RedisClientLike {
  return "duplicate" in value && typeof value.duplicate === "function";
}
