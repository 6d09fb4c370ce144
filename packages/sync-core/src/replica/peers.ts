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
export class Peers {
  readonly #peers = new Map<string, Peer>();

  get size(): number {
    return this.#peers.size;
  }

  notice(message: PeerMessage, now: number): Notice {
    const { sender, epoch, seq } = message;
    const peer = this.#peers.get(sender);
    if (peer === undefined) {
      this.#peers.set(sender, { epoch, seq, heardAt: now });
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
  }

  /** Whether its sender has sent no `update` behind it that was seen here. */
  isLatest({ sender, seq }: PeerMessage): boolean {
    return this.#peers.get(sender)?.seq === seq;
  }

  forget(sender: string): void {
    this.#peers.delete(sender);
  }

  /** Forgets those that have said nothing since `before`. */
  forgetSilent(before: number): void {
    for (const [sender, peer] of this.#peers) {
      if (peer.heardAt < before) this.#peers.delete(sender);
    }
  }
}

/** What the sender must have sent before this message for it to be in order. */
function expected({ kind, seq }: PeerMessage): number {
  return kind === "update" ? seq - 1 : seq;
}
