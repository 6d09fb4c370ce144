import type { PeerMessage } from "../contract/message.ts";

interface Peer {
  epoch: number;
  /** The highest sequence number seen from it. */
  seq: number;
  heardAt: number;
}

/**
 * What a message says about its sender.
 * - `in-order`: nothing is missing before it.
 * - `gap`: something is.
 * - `restarted`: it has opened the document anew; what it said before is over.
 * - `stale`: it is from an opening that is over; ignore it.
 */
export type Notice = "in-order" | "gap" | "restarted" | "stale";

/** The other replicas of the document that have been heard of. */
export interface Peers {
  count(): number;
  notice(message: PeerMessage, now: number): Notice;
  forget(sender: string): void;
  /** Forgets those that have said nothing since `before`. */
  forgetSilent(before: number): void;
}

export function createPeers(): Peers {
  const peers = new Map<string, Peer>();

  /** What the sender must have sent before this message for it to be in order. */
  function expected({ kind, seq }: PeerMessage): number {
    return kind === "update" ? seq - 1 : seq;
  }

  return {
    count: () => peers.size,
    notice(message, now) {
      const { sender, epoch, seq } = message;
      const peer = peers.get(sender);
      if (peer === undefined) {
        peers.set(sender, { epoch, seq, heardAt: now });
        return expected(message) === 0 ? "in-order" : "gap";
      }
      if (epoch < peer.epoch) return "stale";
      peer.heardAt = now;
      if (epoch > peer.epoch) {
        peer.epoch = epoch;
        peer.seq = seq;
        return "restarted";
      }
      const gap = expected(message) > peer.seq;
      peer.seq = Math.max(peer.seq, seq);
      return gap ? "gap" : "in-order";
    },
    forget(sender) {
      peers.delete(sender);
    },
    forgetSilent(before) {
      for (const [sender, peer] of peers) if (peer.heardAt < before) peers.delete(sender);
    },
  };
}
