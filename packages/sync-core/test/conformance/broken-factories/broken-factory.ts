import { isPeerMessage } from "@teleportal/sync-core";
import type {
  Message,
  PeerMessage,
  ServerSyncTransportFactory,
  SyncDriver,
  SyncTransportOptions,
} from "@teleportal/sync-core";
import type { Check } from "@teleportal/sync-core/conformance";
import { changeTransport } from "../changed-transport.ts";
import type { TransportChange } from "../changed-transport.ts";

/** A mistake that a factory may have, and all that the suite must say of it. */
export interface BrokenFactory {
  readonly title: string;
  readonly options?: Partial<SyncTransportOptions<unknown>>;
  breaksDriver?(driver: SyncDriver): Partial<SyncDriver>;
  /** `process`: all factories that the target has opened. */
  breaks?(
    factory: ServerSyncTransportFactory,
    process: Set<ServerSyncTransportFactory>,
  ): Partial<ServerSyncTransportFactory>;
  /** Closes the client that the caller has handed in. */
  readonly closesCallersClient?: true;
  readonly fails: readonly Check["id"][];
}

/** Changes every transport of a factory in the same way. */
export function changing(
  change: (documentId: string) => TransportChange,
): (factory: ServerSyncTransportFactory) => Partial<ServerSyncTransportFactory> {
  return (factory) => ({
    createTransport: async (documentId) =>
      changeTransport(await factory.createTransport(documentId), change(documentId)),
  });
}

/** Changes what peers have said, on its way to the reader. */
export function reading(
  change: (message: PeerMessage, forward: (message: Message) => void) => void,
): (factory: ServerSyncTransportFactory) => Partial<ServerSyncTransportFactory> {
  return changing(() => ({
    read(message, forward) {
      if (isPeerMessage(message)) change(message, forward);
      else forward(message);
    },
  }));
}

/** Changes the names of documents. */
export function renaming(
  rename: (documentId: string) => string,
): (factory: ServerSyncTransportFactory) => Partial<ServerSyncTransportFactory> {
  return (factory) => ({
    createTransport: (documentId) => factory.createTransport(rename(documentId)),
  });
}
