import type { PeerMessage } from "../contract/message.ts";

/** So much is held back, in bytes of frames. */
const MOST_BYTES = 1024 * 1024;

const NONE: PeerMessage[] = [];

/**
 * What peers have typed behind something that is missing. It waits for the repair, so that nobody sees it in a document that lacks
 * what it was typed in: Yjs knows only of some of that (the structs that one refers to).
 */
export class HeldBack {
  readonly #mostMs: number;
  /** Of whom something is missing; seldom anybody. */
  #behind: Set<string> | undefined;
  #messages: PeerMessage[] = NONE;
  #bytes = 0;
  #until: number | undefined;

  /** `mostMs`: for how long something waits at most, in milliseconds; the repair may never come. */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** The latest moment to release what is held back, if anything is. */
  get until(): number | undefined {
    return this.#until;
  }

  /** Messages of that peer are missing, and asked for. */
  missed(sender: string): void {
    (this.#behind ??= new Set()).add(sender);
  }

  /** Holds the message back if something is missing before it. `full`: there is no room. */
  hold(message: PeerMessage, now: number): "held" | "in-order" | "full" {
    if (this.#behind === undefined || !this.#behind.has(message.sender)) return "in-order";
    for (const frame of message.frames) this.#bytes += frame.length;
    if (this.#bytes > MOST_BYTES) return "full";
    if (this.#messages === NONE) this.#messages = [];
    this.#messages.push(message);
    this.#until ??= now + this.#mostMs;
    return "held";
  }

  /** What is held back, in the order it came; nobody is taken to be behind any more. */
  release(): readonly PeerMessage[] {
    const messages = this.#messages;
    this.#behind = undefined;
    this.#messages = NONE;
    this.#bytes = 0;
    this.#until = undefined;
    return messages;
  }
}
