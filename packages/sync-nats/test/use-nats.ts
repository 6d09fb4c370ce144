import type { Logger } from "@teleportal/sync-core";
import { silentLogger } from "@teleportal/sync-core";
import {
  createNatsServerSyncTransportFactory,
  createNatsServerSyncTransportFactoryFromConnectionString,
} from "@teleportal/sync-nats";
import type { NatsSyncOptions, NatsSyncSettings } from "@teleportal/sync-nats";
import { startNats } from "@teleportal/test-brokers";
import { useBroker } from "@teleportal/test-transports";

/** A NATS server for the tests of a suite, and factories on it that are closed after each. */
export function useNats() {
  const used = useBroker(startNats);
  const { keep, closeAll } = used;

  async function fromUrl(
    url = used.broker.url,
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
      return used.broker;
    },
    fromUrl,
    from,
    keep,
    closeAll,
  };
}
