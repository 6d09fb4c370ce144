import type { DriverCapabilities, DriverConnection, SyncDriver } from "@teleportal/sync-core";
import type { Check } from "@teleportal/sync-core/conformance";
import type { ReferenceCapabilities } from "../reference-broker.ts";

/** A mistake that a driver may have, and all that the suite must say of it. */
export interface BrokenDriver {
  readonly title: string;
  /** What the broker behind it does, and the driver declares truthfully. */
  readonly broker?: ReferenceCapabilities;
  /** What it declares instead, if that is the mistake. */
  readonly declares?: Partial<DriverCapabilities>;
  readonly withoutFaults?: true;
  /** `process`: all drivers that the target has opened. */
  breaks(driver: SyncDriver, process: Set<SyncDriver>): Partial<SyncDriver>;
  readonly fails: readonly Check["id"][];
}

/** Changes what is handed to subscribers. */
export function delivering(
  driver: SyncDriver,
  change: (deliver: (bytes: Uint8Array) => void, channel: string) => (bytes: Uint8Array) => void,
): Partial<SyncDriver> {
  return {
    subscribe: (channel, onBytes) => driver.subscribe(channel, change(onBytes, channel)),
  };
}

/** Changes the names of channels on their way to the broker. */
export function onChannels(
  driver: SyncDriver,
  rename: (channel: string) => string,
): Partial<SyncDriver> {
  return {
    publish: (channel, bytes) => driver.publish(rename(channel), bytes),
    subscribe: (channel, onBytes) => driver.subscribe(rename(channel), onBytes),
  };
}

/** Notices what the driver says of its connection, before anybody else. */
export function noticing(
  driver: SyncDriver,
  notice: (connection: DriverConnection) => void,
): Pick<SyncDriver, "watch"> {
  return {
    watch: (listener) =>
      driver.watch((connection) => {
        notice(connection);
        listener(connection);
      }),
  };
}
