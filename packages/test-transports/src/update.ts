import type { PeerMessage } from "@teleportal/sync-core";

/** An update of one frame. */
export function update(sender: string, seq: number, ...bytes: readonly number[]): PeerMessage {
  return { kind: "update", sender, epoch: 1, seq, frames: [new Uint8Array(bytes)] };
}
