import { Redis } from "ioredis";
import { openLink } from "@teleportal/sync-core/conformance";
import type { ConformanceTarget } from "@teleportal/sync-core/conformance";
import { createRedisServerSyncTransportFactory } from "@teleportal/sync-redis";
import { startRedis } from "@teleportal/test-brokers";
import { openDriver } from "../../src/open-driver.ts";

/** A Redis of its own, and a link in front of it. */
export async function createTarget(): Promise<ConformanceTarget> {
  const broker = await startRedis();
  const link = await openLink(broker);
  const connection = {
    direct: { host: broker.host, port: broker.port },
    link: { host: link.host, port: link.port },
  };

  return {
    name: "sync-redis",
    broker: `Redis ${broker.version}`,
    openDriver: (way) => openDriver({ connection: connection[way] }),
    openFactory: ({ keyPrefix, context, logger }, way) =>
      createRedisServerSyncTransportFactory(
        { connection: connection[way], keyPrefix },
        context,
        logger,
      ),
    async openWithCallersClient({ keyPrefix, context, logger }) {
      const client = new Redis(broker.url);
      return {
        factory: await createRedisServerSyncTransportFactory(
          { connection: client, keyPrefix },
          context,
          logger,
        ),
        async works() {
          await client.ping();
        },
        close: async () => client.disconnect(),
      };
    },
    faults: { ...link, restart: broker.restart },
    async close() {
      await link.close();
      await broker.stop();
    },
  };
}
