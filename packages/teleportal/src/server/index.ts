export type {
  Logger,
  ServerSyncTransportFactory,
  SyncMetrics,
  SyncStatus,
  SyncTransportFactory,
  YTransport,
  Message,
  PeerMessage,
  PeerMessageKind,
  TransportSignal,
} from "@teleportal/sync-core";
export { isPeerMessage } from "@teleportal/sync-core";
export { Server } from "./server.ts";
export type { DocumentRequest, PermissionRequest, ServerOptions } from "./server-options.ts";
export type { ServerLimits } from "./limits.ts";
export { CloseCode } from "./close-code.ts";
export type { ClientConnection, ClientSocket } from "./client-socket.ts";
export {
  createRedisServerSyncTransportFactory,
  createRedisServerSyncTransportFactoryFromConnectionString,
} from "./redis.ts";
export type { RedisSyncOptions, RedisSyncSettings } from "./redis.ts";
export type { DocumentStorage } from "../storage/document-storage.ts";
export type { InstanceCounters, InstanceSnapshot } from "../operations/snapshot.ts";
export { prometheusText } from "../operations/prometheus.ts";
export { reportToOpenTelemetry } from "../operations/open-telemetry.ts";
