import type { SyncTransportFactory } from "@teleportal/sync-core";
import { afterAll, afterEach, beforeAll } from "vitest";

/** What the tests of one `describe` share. */
export interface UsedBroker<Broker> {
  /** There is none before the first test. */
  readonly broker: Broker;
  /** Has a factory closed after the test. */
  keep<Context>(factory: SyncTransportFactory<Context>): SyncTransportFactory<Context>;
  /** Closes those kept. */
  closeAll(): Promise<void>;
}

/** A broker for the tests of a `describe`, and factories on it that are closed after each. */
export function useBroker<Broker extends { stop(): Promise<void> }>(
  start: () => Promise<Broker>,
): UsedBroker<Broker> {
  let broker: Broker;
  const factories: Pick<SyncTransportFactory<unknown>, "close">[] = [];

  async function closeAll(): Promise<void> {
    await Promise.all(factories.splice(0).map((factory) => factory.close()));
  }

  beforeAll(async () => {
    broker = await start();
  });
  afterEach(closeAll);
  afterAll(() => broker.stop());

  return {
    get broker() {
      return broker;
    },
    keep(factory) {
      factories.push(factory);
      return factory;
    },
    closeAll,
  };
}
