/** An instance in a process of its own, which tells on request what it holds. The broker's port is its argument. */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { silentLogger } from "@teleportal/sync-core";
import { createRedisServerSyncTransportFactory } from "@teleportal/sync-redis";
import { listen, Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import type { Holding } from "./instance-process.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const factory = await createRedisServerSyncTransportFactory(
  { connection: { host: "127.0.0.1", port: Number(process.argv[2]) } },
  undefined,
  silentLogger,
);
const server = new Server({
  // What a closed document leaves behind is to be garbage.
  getStorage: () => createMemoryDocumentStorage(),
  checkPermission: () => true,
  syncTransportFactory: factory,
  logger: silentLogger,
});
const listener = await listen(server, { port: 0 });

async function holding(): Promise<Holding> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  const { clientsTooSlow, clientsRefused, repairsReceived } = server.snapshot().counters;
  return {
    ...server.size,
    memory: heapUsed + external,
    handles: process.getActiveResourcesInfo().length,
    connected: factory.status === "connected",
    sentAway: clientsTooSlow + clientsRefused,
    repairs: repairsReceived,
  };
}

process.on("message", () => {
  void holding().then((held) => process.send?.(held));
});
// Whoever started it is gone.
process.on("disconnect", () => process.exit());
process.send?.({ url: listener.url });
