import { executionAsyncId } from "node:async_hooks";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { silentLogger } from "@teleportal/sync-core";
import { createNatsServerSyncTransportFactoryFromConnectionString } from "@teleportal/sync-nats";

/** Before Node.js 24 a promise that is followed, as for an `AsyncLocalStorage`, is dearer. It has an id of its own. */
async function areFollowed(): Promise<boolean> {
  await setImmediate();
  await Promise.resolve();
  return executionAsyncId() !== 0;
}

const [, , url = ""] = process.argv;
process.stdout.write(`before: ${await areFollowed()}, `);
const factory = await createNatsServerSyncTransportFactoryFromConnectionString(
  url,
  undefined,
  silentLogger,
  {},
);
process.stdout.write(`${factory.status}: ${await areFollowed()}, `);
await factory.close();
process.stdout.write(`${factory.status}: ${await areFollowed()}`);
