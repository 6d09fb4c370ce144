import type { ClientSocket } from "./client-socket.ts";
import type { Limits } from "./limits.ts";

/** A pause shorter than this is not worth its timer, in milliseconds: it adds up. */
const SHORTEST_PAUSE = 50;

/**
 * Holds a client to so many messages and bytes a second, counted by two token buckets that hold a second's worth: its socket is not
 * read while it is ahead, so that TCP slows it down and nothing is lost.
 */
export class Pace {
  readonly #socket: ClientSocket;
  readonly #messagesPerSecond: number;
  readonly #bytesPerSecond: number;
  #messages: number;
  #bytes: number;
  #filledAt = performance.now();
  #paused: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: ClientSocket, limits: Pick<Limits, "messagesPerSecond" | "bytesPerSecond">) {
    this.#socket = socket;
    this.#messages = this.#messagesPerSecond = limits.messagesPerSecond;
    this.#bytes = this.#bytesPerSecond = limits.bytesPerSecond;
  }

  /**
   * Counts a message. `paused`: the client has become too fast, and is read again when it is due. `unstoppable`: the same, of
   * a socket that cannot be paused.
   */
  take(bytes: number): "in-time" | "paused" | "unstoppable" {
    this.#fill();
    this.#messages -= 1;
    this.#bytes -= bytes;
    // What was read already still comes while the socket is paused; it makes the next pause longer.
    if (this.#paused !== undefined) return "in-time";
    const pause = this.#ahead();
    if (pause < SHORTEST_PAUSE) return "in-time";
    if (this.#socket.pause === undefined) return "unstoppable";
    this.#socket.pause();
    this.#resumeAfter(pause);
    return "paused";
  }

  /** Lets the socket be read again: it is closing, and has to hear the answer. */
  end(): void {
    if (this.#paused === undefined) return;
    clearTimeout(this.#paused);
    this.#paused = undefined;
    this.#socket.resume?.();
  }

  #resumeAfter(milliseconds: number): void {
    this.#paused = setTimeout(() => {
      this.#fill();
      const left = this.#ahead();
      if (left >= SHORTEST_PAUSE) this.#resumeAfter(left);
      else this.end();
    }, milliseconds);
  }

  #fill(): void {
    const now = performance.now();
    const seconds = (now - this.#filledAt) / 1000;
    this.#filledAt = now;
    this.#messages = refilled(this.#messages, this.#messagesPerSecond, seconds);
    this.#bytes = refilled(this.#bytes, this.#bytesPerSecond, seconds);
  }

  /** For how many milliseconds nothing more is due. */
  #ahead(): number {
    const messages = this.#messages < 0 ? -this.#messages / this.#messagesPerSecond : 0;
    const bytes = this.#bytes < 0 ? -this.#bytes / this.#bytesPerSecond : 0;
    return Math.max(messages, bytes) * 1000;
  }
}

function refilled(held: number, perSecond: number, seconds: number): number {
  // Nothing is ever taken from what is infinite.
  return perSecond === Number.POSITIVE_INFINITY
    ? held
    : Math.min(perSecond, held + perSecond * seconds);
}
