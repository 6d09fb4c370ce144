import type { SyncDriver } from "../contract/driver.ts";
import type { Logger } from "../contract/logger.ts";
import type { ServerSyncTransportFactory } from "../contract/transport.ts";

/**
 * How an instance reaches the broker: `direct`, or through the `link` that the suite breaks. Without `faults` there
 * is no difference.
 */
export type Way = "direct" | "link";

/**
 * How the suite breaks things, for an adapter with `recovery: "automatic"`. The first three touch those that were
 * opened through the `link`, and nobody else; `openLink` is a TCP link that does them for most brokers.
 */
export interface BrokerFaults {
  /** Every connection through the link is closed, and new ones are refused. */
  cut(): Promise<void>;
  /** Bytes vanish in both directions and nothing closes. New connections hear nothing. */
  darken(): Promise<void>;
  /** New connections work again. Called also when nothing is broken. */
  heal(): Promise<void>;
  /** The broker, for those that are connected directly as well, is killed and started empty. */
  restart(): Promise<void>;
}

/** What a factory is opened with. `keyPrefix` and `context` MUST be handed on where the factory takes them. */
export interface FactoryOptions {
  readonly keyPrefix: string;
  readonly context: unknown;
  readonly logger: Logger;
}

/** An adapter that was given a client of the caller's to work with. */
export interface CallersClient {
  readonly factory: ServerSyncTransportFactory;
  /** Resolves if the client works as before; rejects if the adapter has closed or changed it. */
  works(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What is checked, and on what. At least one of `openDriver` and `openFactory`: with only a driver, the factory
 * checks look at `createSyncTransportFactory` around it; with only a factory, the driver checks are left out.
 * All that is opened talks to one and the same broker, and each call makes one more instance of a deployment.
 */
export interface ConformanceTarget {
  /** The adapter, such as `sync-redis`. */
  readonly name: string;
  /** What it runs against, such as `Redis 7.0.15`. */
  readonly broker?: string;
  openDriver?(way: Way): Promise<SyncDriver>;
  openFactory?(options: FactoryOptions, way: Way): Promise<ServerSyncTransportFactory>;
  readonly faults?: BrokerFaults;
  /** For adapters that take a client of the caller's. */
  openWithCallersClient?(options: FactoryOptions): Promise<CallersClient>;
  /**
   * How long anything may take that has to happen, in milliseconds; also how soon a dark link has to be found.
   * @default 10000
   */
  readonly patience?: number;
  /** Ends what the target itself has opened, such as a broker. Called once, at the end. */
  close?(): Promise<void>;
}
