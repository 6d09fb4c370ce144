/** `teleportal`, as its documentation has it, and quiet. */
import process from "node:process";
import { createGooglePubsubServerSyncTransportFactoryFromConnectionString as fromGooglePubsub } from "@teleportal/sync-google-pubsub";
import { createNatsServerSyncTransportFactoryFromConnectionString as fromNats } from "@teleportal/sync-nats";
import { createRedisServerSyncTransportFactoryFromConnectionString as fromRedis } from "@teleportal/sync-redis";
import { listen, Server } from "teleportal";
import type { Logger } from "@teleportal/sync-core";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { answerBench } from "./instance-control.ts";

const quiet: Logger = {
  trace() {},
  debug() {},
  info() {},
  warn: console.warn,
  error: console.error,
};

const broker = process.env["BENCH_BROKER"] ?? "";
const open = { "redis:": fromRedis, "nats:": fromNats, "google-pubsub:": fromGooglePubsub }[
  new URL(broker).protocol
];
if (open === undefined) throw new Error(`[bench] no adapter for ${broker}`);

const storage = createMemoryDocumentStorage();
const factory = await open(broker, undefined, quiet, {});
const server = new Server({
  getStorage: () => storage,
  checkPermission: () => true,
  syncTransportFactory: factory,
  logger: quiet,
});
const listener = await listen(server, { port: 0 });

answerBench({
  url: listener.url,
  async close() {
    const closed = listener.close();
    await server.close();
    await factory.close();
    await closed;
  },
  published: () => ({
    messages: factory.metrics.published,
    bytes: factory.metrics.publishedBytes,
  }),
});
