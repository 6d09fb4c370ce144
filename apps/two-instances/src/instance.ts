import type { Logger } from "@teleportal/sync-core";
import { createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import {
  createRedisServerSyncTransportFactoryFromConnectionString,
  listen,
  Server,
} from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";

/** One server instance, as one process behind a load balancer would be. */
export interface Instance {
  readonly name: string;
  readonly url: string;
  close(): Promise<void>;
}

/** `sync` is `memory:` or a Redis URL. */
export async function startInstance(
  name: string,
  port: number,
  sync: string,
  logger: Logger,
): Promise<Instance> {
  const factory =
    sync === "memory:"
      ? await createMemoryServerSyncTransportFactory({}, { instance: name }, logger)
      : await createRedisServerSyncTransportFactoryFromConnectionString(
          sync,
          { instance: name },
          logger,
        );
  const storage = createMemoryDocumentStorage();
  const server = new Server({
    getStorage: () => storage,
    checkPermission: () => true,
    syncTransportFactory: factory,
    logger,
  });

  async function close(): Promise<void> {
    await server.close();
    await factory.close();
  }

  try {
    const listener = await listen(server, { port });
    return {
      name,
      url: listener.url,
      async close() {
        await listener.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
