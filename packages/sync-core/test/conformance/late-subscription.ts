import type { SyncDriver } from "@teleportal/sync-core";

/** How late, in milliseconds: later than anything that follows at once. */
const DELAY = 200;

/** A `subscribe` that resolves before the subscription is live, for the names that end in `suffix`. */
export function subscribesLate(driver: SyncDriver, suffix: string): SyncDriver["subscribe"] {
  return async (channel, onBytes) => {
    if (!channel.endsWith(suffix)) return driver.subscribe(channel, onBytes);
    const live = new Promise((resolve) => setTimeout(resolve, DELAY)).then(() =>
      driver.subscribe(channel, onBytes),
    );
    // A driver that was closed meanwhile.
    live.catch(() => {});
    return async () => (await live)();
  };
}
