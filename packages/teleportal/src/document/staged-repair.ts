import type { PeerMessage, StateVector } from "@teleportal/sync-core";
import { History } from "./history.ts";

/** Which opening of the document, by which peer. */
type Sender = Pick<PeerMessage, "sender" | "epoch">;

/**
 * A repair that comes in several parts. They wait here until the last has come, and are then one change: nobody sees a document that
 * has some of them.
 */
export class StagedRepair {
  readonly #history: History;
  /** What has come; none most of the time. */
  #parts: History | undefined;
  /** Whose parts these are; `several` after a peer has gone on with what another one had begun. */
  #from: Sender | "several" | undefined;

  /** `history`: what is repaired. */
  constructor(history: History) {
    this.#history = history;
  }

  /**
   * Puts a part aside; tells whether there is something new in it.
   *
   * @throws MalformedUpdateError, and nothing has changed
   */
  add(update: Uint8Array, from: Sender): boolean {
    const isKnown = this.#history.isKnown(update);
    this.#parts ??= new History();
    const news = this.#parts.take(update);
    this.#from = this.#from === undefined || isSame(this.#from, from) ? from : "several";
    return !isKnown && news !== undefined;
  }

  /** What is held together with the parts: the next are asked for with that. */
  state(): { readonly stateVector: Uint8Array; readonly digest: Uint8Array } {
    const history = this.#history;
    return this.#parts === undefined
      ? { stateVector: history.stateVector(), digest: history.digest() }
      : history.together(this.#parts);
  }

  /**
   * Takes the parts out, as the last has come, from a peer that holds `heldByPeer`. `none`: there are none. `outdated`: that peer lacks
   * some of them, so another one had begun the repair and is gone, and what the last part was computed for is not whole.
   */
  finish(from: Sender, heldByPeer: StateVector): History | "none" | "outdated" {
    const parts = this.#parts;
    if (parts === undefined || this.#from === undefined) return "none";
    // A state vector says nothing about what its sender holds behind a hole: that is asked for, and sent, all the same. Without
    // holes the peer must hold what it has sent; if it says that it does not, this is an earlier reply that has come twice.
    const complete =
      parts.isWithin(heldByPeer) ||
      (isSame(this.#from, from) && !this.#history.together(parts).complete);
    this.#parts = this.#from = undefined;
    return complete ? parts : "outdated";
  }
}

function isSame(a: Sender | "several", b: Sender): boolean {
  return a !== "several" && a.sender === b.sender && a.epoch === b.epoch;
}
