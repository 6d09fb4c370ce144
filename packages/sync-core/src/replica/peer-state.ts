import { decodeClientFrame } from "../wire/client-frame.ts";
import { decodeStateVector } from "../wire/state-vector.ts";
import type { StateVector } from "../wire/state-vector.ts";

/** What a peer says it holds. */
export interface PeerState {
  readonly stateVector: Uint8Array;
  readonly decoded: StateVector;
  readonly digest: Uint8Array;
}

/** Reads the two frames by which a peer says it; `undefined` if they are none. Never throws. */
export function readPeerState(
  syncStep1: Uint8Array | undefined,
  digest: Uint8Array | undefined,
): PeerState | undefined {
  if (syncStep1 === undefined || digest === undefined) return undefined;
  const read = decodeClientFrame(syncStep1);
  if (read.type !== "sync-step-1") return undefined;
  const decoded = decodeStateVector(read.stateVector);
  return decoded && { stateVector: read.stateVector, decoded, digest };
}
