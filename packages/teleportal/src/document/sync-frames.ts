import { encodeSyncStep2, encodeUpdateFrame } from "@teleportal/sync-core";
import type { UpdateLog } from "./update-log.ts";

/** An update that holds nothing, in Yjs's V1 format. */
const EMPTY_UPDATE = new Uint8Array([0, 0]);

/** The frames that bring a client holding `stateVector` to what `log` holds; the last is a SyncStep2. */
export function syncFrames(log: UpdateLog, stateVector: Uint8Array): Uint8Array[] {
  // Byte 0 is the number of clients: a holder of nothing needs no difference.
  const updates = stateVector[0] === 0 ? log.updates() : log.diff(stateVector);
  const [only] = updates;
  if (updates.length <= 1) return [encodeSyncStep2(only ?? EMPTY_UPDATE)];
  // SyncStep2 comes last: applications take it for "all is there" and may fill a document they find empty.
  return [...updates.map(encodeUpdateFrame), encodeSyncStep2(EMPTY_UPDATE)];
}
