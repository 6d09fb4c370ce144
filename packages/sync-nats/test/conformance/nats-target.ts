import { connect } from "@nats-io/transport-node";
import { openLink } from "@teleportal/sync-core/conformance";
import type { ConformanceTarget } from "@teleportal/sync-core/conformance";
import { createNatsServerSyncTransportFactory } from "@teleportal/sync-nats";
import { startNats } from "@teleportal/test-brokers";
import { openDriver } from "../../src/open-driver.ts";

/** A NATS server of its own, and a link in front of it. */
export async function createTarget(): Promise<ConformanceTarget> {
  const broker = await startNats();
  const link = await openLink(broker);
  const connection = { direct: broker.url, link: `nats://${link.host}:${link.port}` };

  return {
    name: "sync-nats",
    broker: `NATS ${broker.version}`,
    openDriver: (way) => openDriver({ connection: connection[way] }),
    openFactory: ({ keyPrefix, context, logger }, way) =>
      createNatsServerSyncTransportFactory(
        { connection: connection[way], keyPrefix },
        context,
        logger,
      ),
    async openWithCallersClient({ keyPrefix, context, logger }) {
      const client = await connect({ servers: broker.url, noEcho: true });
      return {
        factory: await createNatsServerSyncTransportFactory(
          { connection: client, keyPrefix },
          context,
          logger,
        ),
        works: () => client.flush(),
        close: () => client.close(),
      };
    },
    faults: { ...link, restart: () => broker.restart() },
    async close() {
      await link.close();
      await broker.stop();
    },
  };
}
