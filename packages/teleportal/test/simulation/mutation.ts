import type {
  PeerMessage,
  ReplicaDocument,
  ReplicaHost,
  ReplicaOptions,
  TransportSignal,
} from "@teleportal/sync-core";

/** Makes another engine of the one under test, by what stands between it and its surroundings. */
export interface Mutation {
  readonly options?: Partial<ReplicaOptions>;
  readonly document?: (document: ReplicaDocument, id: string) => ReplicaDocument;
  readonly host?: (host: ReplicaHost, id: string) => ReplicaHost;
  /** What the replica `id` sends instead; `undefined`: nothing. */
  readonly send?: (message: PeerMessage, id: string) => PeerMessage | undefined;
  /** What the replica `id` receives instead; `undefined`: nothing. */
  readonly receive?: (
    message: PeerMessage | TransportSignal,
    id: string,
  ) => PeerMessage | TransportSignal | undefined;
}
