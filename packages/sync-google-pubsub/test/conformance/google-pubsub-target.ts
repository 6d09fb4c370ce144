import * as library from "@google-cloud/pubsub";
import { silentLogger } from "@teleportal/sync-core";
import type { ConformanceTarget, Way } from "@teleportal/sync-core/conformance";
import { createGooglePubsubServerSyncTransportFactory } from "@teleportal/sync-google-pubsub";
import { startGooglePubsub } from "@teleportal/test-brokers";
import { openLink } from "@teleportal/sync-core/conformance";
import { createGooglePubsubDriver } from "../../src/google-pubsub-driver.ts";

/** Finds a dark link well within the suite's patience. */
const HEARTBEAT = { interval: 500, deadline: 2000, lease: 5000 };

const TOPIC = "conformance";

/** The adapter on an emulator of its own. */
export async function createTarget(): Promise<ConformanceTarget> {
  const broker = await startGooglePubsub();
  const link = await openLink(broker);

  function configFor(way: Way) {
    const { host, port } = way === "link" ? link : broker;
    return { projectId: broker.projectId, apiEndpoint: `${host}:${port}` };
  }

  return {
    name: "sync-google-pubsub",
    broker: `Google's Pub/Sub emulator ${broker.version ?? ""}`.trimEnd(),
    openDriver: async (way) =>
      createGooglePubsubDriver({
        library,
        pubsub: new library.PubSub(configFor(way)),
        ownsPubsub: true,
        topic: TOPIC,
        createTopic: true,
        orphanPatience: 30_000,
        logger: silentLogger,
      }),
    openFactory: ({ keyPrefix, context, logger }, way) =>
      createGooglePubsubServerSyncTransportFactory(
        { connection: configFor(way), topic: TOPIC, keyPrefix, heartbeat: HEARTBEAT },
        context,
        logger,
      ),
    async openWithCallersClient({ keyPrefix, context, logger }) {
      const client = new library.PubSub(configFor("direct"));
      return {
        factory: await createGooglePubsubServerSyncTransportFactory(
          { connection: client, topic: TOPIC, keyPrefix },
          context,
          logger,
        ),
        async works() {
          await client.topic(TOPIC).publishMessage({ data: Buffer.of(1) });
        },
        close: () => client.close(),
      };
    },
    // The emulator looks for messages every 50 ms, and shares the machine with all other tests.
    patience: 30_000,
    faults: { ...link, restart: broker.restart },
    async close() {
      await link.close();
      await broker.stop();
    },
  };
}
