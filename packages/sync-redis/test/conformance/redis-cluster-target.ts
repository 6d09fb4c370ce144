import { Cluster } from "ioredis";
import { openLink } from "@teleportal/sync-core/conformance";
import type { ConformanceTarget, Link } from "@teleportal/sync-core/conformance";
import { createRedisServerSyncTransportFactory } from "@teleportal/sync-redis";
import { startRedisCluster } from "@teleportal/test-brokers";
import { openDriver } from "../../src/open-driver.ts";

/** A Redis Cluster of three masters, and a link in front of each. */
export async function createTarget(): Promise<ConformanceTarget> {
  const cluster = await startRedisCluster();
  const seeds = cluster.nodes.map(({ host, port }) => ({ host, port }));
  const links = new Map<string, Link>();
  for (const { host, port } of seeds) links.set(`${host}:${port}`, await openLink({ host, port }));
  const version = cluster.nodes[0]?.version;
  const connection = {
    direct: { cluster: seeds },
    link: {
      cluster: [...links.values()].map(({ host, port }) => ({ host, port })),
      natMap: (address: string) => links.get(address) ?? null,
    },
  };

  async function eachLink(act: (link: Link) => Promise<void>): Promise<void> {
    await Promise.all([...links.values()].map(act));
  }

  return {
    name: "sync-redis, cluster",
    broker: `Redis Cluster ${version}`,
    openDriver: (way) => openDriver({ connection: connection[way] }),
    openFactory: ({ keyPrefix, context, logger }, way) =>
      createRedisServerSyncTransportFactory(
        { connection: connection[way], keyPrefix },
        context,
        logger,
      ),
    async openWithCallersClient({ keyPrefix, context, logger }) {
      const client = new Cluster(seeds);
      return {
        factory: await createRedisServerSyncTransportFactory(
          { connection: client, keyPrefix },
          context,
          logger,
        ),
        async works() {
          await client.set("key", "value");
        },
        close: async () => client.disconnect(),
      };
    },
    faults: {
      cut: () => eachLink((link) => link.cut()),
      darken: () => eachLink((link) => link.darken()),
      heal: () => eachLink((link) => link.heal()),
      async restart() {
        await Promise.all(cluster.nodes.map((node) => node.restart()));
        await cluster.settled();
      },
    },
    async close() {
      await eachLink((link) => link.close());
      await cluster.stop();
    },
  };
}
