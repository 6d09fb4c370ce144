/** One instance of a collaboration server. Run as many as you like: they hold the same documents, by way of Redis. */
import { createRedisServerSyncTransportFactoryFromConnectionString } from "@teleportal/sync-redis";
import { listen, Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";

const { PORT = "1234", REDIS_URL = "redis://127.0.0.1:6379" } = process.env;

const factory = await createRedisServerSyncTransportFactoryFromConnectionString(
  REDIS_URL,
  undefined,
  console,
);

// Yours goes here: what is kept in memory is gone when no instance has the document open any more.
const storage = createMemoryDocumentStorage();

const server = new Server<{ readonly readOnly: boolean }>({
  getStorage: () => storage,
  // Yours goes here: `context` is what was made of the client's request below.
  checkPermission: ({ type, context }) => type === "read" || !context.readOnly,
  syncTransportFactory: factory,
});

const listener = await listen(server, {
  port: Number(PORT),
  context: (request) => ({ readOnly: request.url?.includes("readonly=1") ?? false }),
  // The numbers that the playground shows. Leave it out where clients reach this port.
  operations: { inspect: true },
});
console.log(`listening ${listener.url}`);

/** First nobody new, then goodbye to clients and peers while the broker is still there. */
async function drain(): Promise<void> {
  const closed = listener.close();
  await server.close();
  await factory.close();
  await closed;
}

process.once("SIGTERM", () => void drain());
