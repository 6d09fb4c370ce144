import type { Logger } from "../contract/logger.ts";

/** What every adapter's factory takes beside its connection. */
export interface SyncTransportOptions<Context> {
  /** Handed on with every delivered message. */
  readonly context: Context;
  readonly logger: Logger;
  /**
   * Stands in front of the document id in every channel name.
   * @default "teleportal:sync:"
   */
  readonly keyPrefix?: string;
  /**
   * How many bytes of one document may be on their way to the broker. Above it messages are dropped, and what was
   * lost is repaired once the broker has caught up.
   * @default 8 MiB
   */
  readonly outboxBytes?: number;
  /**
   * The same for all documents together.
   * @default 64 MiB
   */
  readonly outboxTotalBytes?: number;
  /**
   * How many bytes may wait for a slow reader of one document's transport. Above it messages are dropped and
   * repaired once the reader is back.
   * @default 16 MiB
   */
  readonly readableBytes?: number;
  /**
   * How many bytes of unfinished messages, sent in parts, are held for one document; so also the largest message.
   * @default 64 MiB
   */
  readonly partBytes?: number;
  /**
   * How long a transport waits for the broker, in milliseconds: at its start for the subscription (then it starts
   * in degraded state, and the subscription is tried again until it succeeds), at its end for what is on its way.
   * @default 3000
   */
  readonly brokerTimeout?: number;
  readonly heartbeat?: HeartbeatTiming;
  /**
   * Seals everything on the broker (AES-256-GCM), for a broker that others can reach: nobody without it can read,
   * forge, or play again. At least 32 characters, the same on all instances. Several to change it: the first seals,
   * all open; add the new one behind on every instance, then put it first, then remove the old one.
   * @default nothing is sealed
   */
  readonly secret?: string | readonly string[];
}

/** All in milliseconds; the same on all instances of a deployment. */
export interface HeartbeatTiming {
  /**
   * How often an instance says that it is alive.
   * @default 1500
   */
  readonly interval?: number;
  /**
   * How long that may take through the broker and back before the connection is replaced.
   * @default 3500
   */
  readonly deadline?: number;
  /**
   * After which silence an instance is dead, and the cursors of its clients are removed elsewhere.
   * @default 7000
   */
  readonly lease?: number;
}

const MEBIBYTE = 1024 * 1024;

export const DEFAULT_KEY_PREFIX = "teleportal:sync:";

export type SyncTransportSettings<Context> = Required<
  Omit<SyncTransportOptions<Context>, "secret">
> & {
  readonly heartbeat: Required<HeartbeatTiming>;
};

export function withDefaults<Context>(
  options: SyncTransportOptions<Context>,
): SyncTransportSettings<Context> {
  return {
    context: options.context,
    logger: options.logger,
    keyPrefix: options.keyPrefix ?? DEFAULT_KEY_PREFIX,
    outboxBytes: options.outboxBytes ?? 8 * MEBIBYTE,
    outboxTotalBytes: options.outboxTotalBytes ?? 64 * MEBIBYTE,
    readableBytes: options.readableBytes ?? 16 * MEBIBYTE,
    partBytes: options.partBytes ?? 64 * MEBIBYTE,
    brokerTimeout: options.brokerTimeout ?? 3000,
    heartbeat: { interval: 1500, deadline: 3500, lease: 7000, ...options.heartbeat },
  };
}
