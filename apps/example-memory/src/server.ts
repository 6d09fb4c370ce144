/** A collaboration server without a broker. Several in one process hold the same documents. */
import { createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import { listen, Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";

/** A server that runs. */
export interface RunningServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

export async function startServer(port: number): Promise<RunningServer> {
  // Needed only where one process has several servers; a single one leaves it out.
  const factory = await createMemoryServerSyncTransportFactory({}, undefined, console);

  // Yours goes here: what is kept in memory is gone when no server has the document open any more.
  const storage = createMemoryDocumentStorage();

  const server = new Server<{ readonly readOnly: boolean }>({
    getStorage: () => storage,
    // Yours goes here: `context` is what was made of the client's request below.
    checkPermission: ({ type, context }) => type === "read" || !context.readOnly,
    syncTransportFactory: factory,
  });

  const listener = await listen(server, {
    port,
    context: (request) => ({ readOnly: request.url?.includes("readonly=1") ?? false }),
    // The numbers that the playground shows. Leave it out where clients reach this port.
    operations: { inspect: true },
  });

  return {
    port: listener.port,
    url: listener.url,
    async close() {
      const closed = listener.close();
      await server.close();
      await factory.close();
      await closed;
    },
  };
}
