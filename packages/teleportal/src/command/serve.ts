import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { listen } from "../node/listen.ts";
import type { Listener } from "../node/listen.ts";
import { reportToOpenTelemetry } from "../operations/open-telemetry.ts";
import { Server } from "../server/server.ts";
import { listenForOperations } from "./operations-port.ts";
import { openStorage } from "./open-storage.ts";
import { openSync, redactUrl } from "./open-sync.ts";

export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly sync: string | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly keyPrefix: string | undefined;
  readonly storage: string;
  readonly documentBytes: number | undefined;
  readonly keepDeletedContent: boolean;
  readonly operationsPort: number | undefined;
}

/** A server that runs, and what ends it: everything stored, said and closed. */
export interface Serving {
  readonly url: string;
  close(): Promise<void>;
}

/** `teleportal serve`: everything is open to everyone who reaches the port; put your own check in front, or embed. */
export async function serve(
  options: ServeOptions,
  logger: Logger,
  print: (line: string) => void,
): Promise<Serving> {
  const opened = await openStorage(options.storage);
  let factory: SyncTransportFactory<undefined> | undefined;
  let server: Server<undefined> | undefined;
  let operations: Awaited<ReturnType<typeof listenForOperations>> | undefined;
  let endReports: Awaited<ReturnType<typeof reportToOpenTelemetry>>;
  const closeRest = async (): Promise<void> => {
    await server?.close();
    await factory?.close();
    await opened.close();
    endReports?.();
    await operations?.close();
  };
  let listener: Listener | undefined;
  try {
    if (options.sync !== undefined) {
      factory = await openSync(options.sync, options.keyPrefix, logger);
    }
    const running = new Server<undefined>({
      getStorage: () => opened.storage,
      checkPermission: () => true,
      logger,
      limits: { documentBytes: options.documentBytes },
      keepDeletedContent: options.keepDeletedContent,
      ...(factory && { syncTransportFactory: factory }),
    });
    server = running;
    endReports = await reportToOpenTelemetry(() => running.snapshot());
    listener = await listen(running, {
      port: options.port,
      host: options.host,
      ...(options.allowedOrigins && { allowedOrigins: options.allowedOrigins }),
    });
    print(`storage    ${options.storage}`);
    print(
      factory === undefined || options.sync === undefined
        ? "sync       none: a single instance"
        : `sync       ${redactUrl(options.sync)} (${factory.status})`,
    );
    if (options.operationsPort !== undefined) {
      operations = await listenForOperations(running, options.operationsPort, options.host);
      print(`operations ${operations.url}`);
    }
    print(`listening  ${listener.url}`);
    const { url, close } = listener;
    return {
      url,
      async close() {
        // First nobody new, then goodbye to clients and peers while the broker is still there.
        const closed = close();
        await closeRest();
        await closed;
      },
    };
  } catch (error) {
    await listener?.close();
    await closeRest();
    throw error;
  }
}
