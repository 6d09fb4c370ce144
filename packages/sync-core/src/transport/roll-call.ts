import { afterTurn } from "./turn.ts";

/** How long an answer is waited for, in milliseconds; a replica asks its peers again by itself. */
const PATIENCE = 5000;

/** The most bytes in one message, so that nothing waits long behind it at the broker. */
const MAX_BYTES = 64 * 1024;

interface Call {
  readonly alone: () => void;
  readonly absent: Set<string>;
  readonly at: number;
}

/** What a roll call needs of the channel that all instances share. */
export interface RollCallHost {
  /** The other instances that are alive; `undefined` while that is not known for sure. */
  peers(): readonly string[] | undefined;
  isOpen(documentId: string): boolean;
  maxPayload(): number;
  publish(kind: "roll-call" | "absent", frames: readonly Uint8Array[], to?: string): void;
}

/**
 * Finds out that no other instance has a document open, where the broker does not tell how many a message has reached: whoever has
 * it not says so. Without it, the first to open a document would wait in vain for the others' state.
 *
 * What is opened in one turn of the event loop is asked for, and answered, in one message.
 */
export class RollCall {
  readonly #host: RollCallHost;
  readonly #calls = new Map<string, Call>();
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  #asked: string[] = [];

  constructor(host: RollCallHost) {
    this.#host = host;
  }

  /** Calls `alone` once every other instance has said that it does not have the document open; never, if one has. */
  ask(documentId: string, alone: () => void): void {
    const now = performance.now();
    for (const [id, { at }] of this.#calls) {
      if (now - at < PATIENCE) break;
      this.#calls.delete(id);
    }
    const peers = this.#host.peers();
    if (peers === undefined) return;
    if (peers.length === 0) {
      alone();
      return;
    }
    this.#calls.delete(documentId);
    this.#calls.set(documentId, { alone, absent: new Set(), at: now });
    this.#asked.push(documentId);
    if (this.#asked.length === 1) afterTurn(() => this.#callOut());
  }

  /** Another instance asks. */
  called(sender: string, frames: readonly Uint8Array[]): void {
    const absent = frames.filter((frame) => !this.#host.isOpen(this.#decoder.decode(frame)));
    if (absent.length > 0) this.#host.publish("absent", absent, sender);
  }

  /** Another instance has answered. */
  absent(sender: string, frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      const documentId = this.#decoder.decode(frame);
      const call = this.#calls.get(documentId);
      if (call === undefined) continue;
      call.absent.add(sender);
      if (this.#host.peers()?.every((peer) => call.absent.has(peer)) !== true) continue;
      this.#calls.delete(documentId);
      call.alone();
    }
  }

  #callOut(): void {
    const asked = this.#asked;
    this.#asked = [];
    const limit = Math.min(MAX_BYTES, this.#host.maxPayload() / 2);
    let frames: Uint8Array[] = [];
    let bytes = 0;
    for (const documentId of asked) {
      const frame = this.#encoder.encode(documentId);
      if (bytes + frame.length > limit && frames.length > 0) {
        this.#host.publish("roll-call", frames);
        frames = [];
        bytes = 0;
      }
      frames.push(frame);
      bytes += frame.length;
    }
    this.#host.publish("roll-call", frames);
  }
}
