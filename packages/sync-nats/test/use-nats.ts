import { afterAll, afterEach, beforeAll } from "vitest";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { silentLogger } from "@teleportal/sync-core";
import {
  createNatsServerSyncTransportFactory,
  createNatsServerSyncTransportFactoryFromConnectionString,
} from "@teleportal/sync-nats";
import type { NatsSyncOptions, NatsSyncSettings } from "@teleportal/sync-nats";
import { startNats } from "@teleportal/test-brokers";
import type { NatsBroker } from "@teleportal/test-brokers";

/** A NATS server for the tests of a suite, and factories on it that are closed after each. */
export function useNats() {
  let broker: NatsBroker;
  const factories: SyncTransportFactory<unknown>[] = [];

  beforeAll(async () => {
    broker = await startNats();
  });
  afterEach(closeAll);
  afterAll(() => broker.stop());

  async function closeAll(): Promise<void> {
    await Promise.all(factories.splice(0).map((factory) => factory.close()));
  }

  function keep<Context>(factory: SyncTransportFactory<Context>): SyncTransportFactory<Context> {
    factories.push(factory);
    return factory;
  }

  async function fromUrl(
    url = broker.url,
    logger: Logger = silentLogger,
    settings: NatsSyncSettings = {},
  ) {
    return keep(
      await createNatsServerSyncTransportFactoryFromConnectionString(
        url,
        undefined,
        logger,
        settings,
      ),
    );
  }

  async function from(
    connection: NatsSyncOptions["connection"],
    settings: NatsSyncSettings = {},
    logger: Logger = silentLogger,
  ) {
    return keep(
      await createNatsServerSyncTransportFactory({ connection, ...settings }, undefined, logger),
    );
  }

  return {
    get broker() {
      return broker;
    },
    fromUrl,
    from,
    /** Has a factory closed after the test. */
    keep,
    closeAll,
  };
}
