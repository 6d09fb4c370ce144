export { silentLogger } from "./contract/logger.ts";
export type { Logger } from "./contract/logger.ts";
export { isPeerMessage } from "./contract/message.ts";
export type { Message, PeerMessage, PeerMessageKind, TransportSignal } from "./contract/message.ts";
export type {
  ServerSyncTransportFactory,
  DirectTransport,
  DirectConnection,
  DirectReader,
  TransportStreams,
  YTransport,
} from "./contract/transport.ts";
export type {
  DriverCapabilities,
  DriverConnection,
  SyncDriver,
  Unsubscribe,
} from "./contract/driver.ts";
export type { RoundTrips, SyncMetrics, SyncStatus } from "./contract/status.ts";
export { describeCause, SyncError } from "./sync-error.ts";
export {
  decodeClientFrame,
  encodeAwarenessFrame,
  encodePermissionDenied,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
  isSyncStep2,
} from "./wire/client-frame.ts";
export type { ClientFrame } from "./wire/client-frame.ts";
export { ByteReader, TruncatedError } from "./wire/byte-reader.ts";
export { ByteWriter } from "./wire/byte-writer.ts";
export { decodeEnvelope, encodeEnvelope, ENVELOPE_VERSION } from "./wire/envelope.ts";
export type { DecodedEnvelope, EnvelopeHeader, EnvelopePart } from "./wire/envelope.ts";
export { createPeerId, isPeerId } from "./wire/peer-id.ts";
export { decodeStateVector, isAhead } from "./wire/state-vector.ts";
export type { StateVector } from "./wire/state-vector.ts";
export {
  createSyncTransportFactory,
  MAX_DOCUMENT_ID_LENGTH,
} from "./transport/sync-transport-factory.ts";
export type { SyncTransportFactory } from "./transport/sync-transport-factory.ts";
export { openSyncTransportFactory } from "./transport/open-sync-transport-factory.ts";
export { createConnectionState } from "./driver/connection-state.ts";
export type { ConnectionState, ConnectionStateOptions } from "./driver/connection-state.ts";
export { DEFAULT_KEY_PREFIX } from "./transport/options.ts";
export type { SyncTransportOptions } from "./transport/options.ts";
export { afterTurn, createTurnBatch } from "./transport/turn.ts";
export { createReplica } from "./replica/replica.ts";
export type { Replica } from "./replica/replica.ts";
export type {
  Difference,
  OfflineBudget,
  ReplicaDocument,
  ReplicaHost,
  ReplicaOptions,
  Storing,
} from "./replica/options.ts";
export { digestOf } from "./replica/digest.ts";
export type { ClientRanges } from "./replica/digest.ts";
