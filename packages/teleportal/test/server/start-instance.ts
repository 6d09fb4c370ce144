import type { Logger } from "@teleportal/sync-core";
import { createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";
import { listen, Server } from "teleportal";
import type { DocumentStorage, Listener, ServerOptions } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { onTestFinished } from "vitest";

export interface InstanceOptions extends Partial<ServerOptions<unknown>> {
  /** What it shares with other instances; none: it is alone. */
  readonly bus?: MemoryBus;
  /** @default one in memory, its own */
  readonly storage?: DocumentStorage;
}

/** A server on a free port, closed when the test is over. */
export interface Instance {
  readonly url: string;
  readonly server: Server;
  readonly listener: Listener;
  readonly storage: DocumentStorage;
  /** What it has logged, each line as `level message`. */
  readonly log: readonly string[];
}

export async function startInstance(options: InstanceOptions = {}): Promise<Instance> {
  const { bus, storage = createMemoryDocumentStorage(), ...rest } = options;
  const { logger, lines } = createRecordingLogger();
  const factory = bus && (await createMemoryServerSyncTransportFactory({ bus }, undefined, logger));
  const server = new Server<unknown>({
    getStorage: () => storage,
    checkPermission: () => true,
    logger,
    ...(factory === undefined ? {} : { syncTransportFactory: factory }),
    ...rest,
  });
  const listener = await listen(server, { port: 0 });
  onTestFinished(async () => {
    await server.close();
    await listener.close();
    await factory?.close();
  });
  return { url: listener.url, server, listener, storage, log: lines };
}

export function createRecordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (message: string) => lines.push(`${level} ${message}`);
  const logger = {
    trace: write("trace"),
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  } satisfies Logger;
  return { logger, lines };
}
