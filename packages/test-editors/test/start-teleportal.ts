import type { Logger } from "@teleportal/sync-core";
import { createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";
import { listen, Server } from "teleportal";
import type { DocumentStorage } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { onTestFinished } from "vitest";
import type { Service } from "./service.ts";

export interface InstanceOptions {
  /** What it shares with other instances; none: it is alone. */
  readonly bus?: MemoryBus;
  /** @default one in memory, its own */
  readonly storage?: DocumentStorage;
}

const silent: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** An instance on a free port; stopped when the test is over, if not before. */
export async function startTeleportal(options: InstanceOptions = {}): Promise<Service> {
  const { bus, storage = createMemoryDocumentStorage() } = options;
  const factory = bus && (await createMemoryServerSyncTransportFactory({ bus }, undefined, silent));
  const server = new Server<unknown>({
    getStorage: () => storage,
    checkPermission: () => true,
    logger: silent,
    ...(factory === undefined ? {} : { syncTransportFactory: factory }),
  });
  const listener = await listen(server, { port: 0 });
  let stopping: Promise<void> | undefined;
  async function stopAll(): Promise<void> {
    await server.close();
    await listener.close();
    await factory?.close();
  }
  const stop = () => (stopping ??= stopAll());
  onTestFinished(stop);
  return { url: listener.url, stop };
}
