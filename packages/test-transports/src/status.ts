import type { SyncStatus, SyncTransportFactory } from "@teleportal/sync-core";

/** Resolves when the factory's status is, or has become, the one wanted. */
export function reached(factory: SyncTransportFactory<unknown>, wanted: SyncStatus): Promise<void> {
  return new Promise((resolve) => {
    if (factory.status === wanted) {
      resolve();
      return;
    }
    const off = factory.onStatus((status) => {
      if (status !== wanted) return;
      off();
      resolve();
    });
  });
}
