import type { AddressInfo } from "node:net";
import { createServer } from "node:http";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { silentLogger } from "@teleportal/sync-core";
import {
  attach,
  createRedisServerSyncTransportFactoryFromConnectionString,
  Server,
} from "teleportal";
import type { DocumentStorage } from "teleportal/storage";
import { createMemoryDocumentStorage } from "teleportal/storage";

/** A server instance over a Redis, as one process of a deployment, inside an http server of its own. */
export interface RedisInstance extends AsyncDisposable {
  readonly url: string;
  readonly server: Server<undefined>;
  readonly factory: SyncTransportFactory<undefined>;
  close(): Promise<void>;
}

export async function startRedisInstance(
  redisUrl: string,
  options: {
    readonly logger?: Logger;
    readonly storage?: DocumentStorage;
    readonly keyPrefix?: string;
  } = {},
): Promise<RedisInstance> {
  const { logger = silentLogger, storage = createMemoryDocumentStorage(), keyPrefix } = options;
  const factory = await createRedisServerSyncTransportFactoryFromConnectionString(
    redisUrl,
    undefined,
    logger,
    keyPrefix === undefined ? {} : { keyPrefix },
  );
  const server = new Server<undefined>({
    getStorage: async () => storage,
    checkPermission: async () => true,
    syncTransportFactory: factory,
    logger,
  });
  const http = createServer();
  const attached = attach(server, http);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));

  async function close(): Promise<void> {
    await Promise.all([attached.close(), server.close()]);
    await factory.close();
    await new Promise((resolve) => http.close(resolve));
  }

  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    server,
    factory,
    close,
    [Symbol.asyncDispose]: close,
  };
}
