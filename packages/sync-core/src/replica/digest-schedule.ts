import { Backoff } from "./backoff.ts";
import type { ReplicaOptions } from "./options.ts";

type DigestTiming = Required<
  Pick<ReplicaOptions, "digestDelay" | "digestMaxDelay" | "digestRounds" | "settleTime">
>;

/** What the schedule needs of the replica that it belongs to. */
export interface DigestHost {
  now(): number;
  random(): number;
  /** Whether there is anybody to hear a digest. */
  hasAudience(): boolean;
}

/**
 * When the next digest is due: soon after activity, then at growing distance, then never, so that a quiet document
 * sends nothing. Not while there is nobody to hear it.
 */
export class DigestSchedule {
  readonly #timing: DigestTiming;
  readonly #host: DigestHost;
  readonly #backoff: Backoff;
  #at: number | undefined;
  /** Digests since the last sign of activity. */
  #quietRounds = 0;
  #typedAt = Number.NEGATIVE_INFINITY;

  constructor(timing: DigestTiming, host: DigestHost) {
    this.#timing = timing;
    this.#host = host;
    this.#backoff = new Backoff(timing.digestDelay, timing.digestMaxDelay);
  }

  /** When the next one is due, if any is. */
  get at(): number | undefined {
    return this.#at;
  }

  /** Whether typing is so recent that two digests differ by what is on its way. */
  get unsettled(): boolean {
    return this.#host.now() - this.#typedAt < this.#timing.settleTime;
  }

  /**
   * Something was typed. Own typing puts the next digest off, as every message of it reveals a loss before it; typing
   * elsewhere does not, or a lost last message could stay unseen for as long as somebody else types.
   */
  typed(where: "here" | "elsewhere"): void {
    this.#typedAt = this.#host.now();
    this.#quietRounds = 0;
    if (where === "here" || this.#at === undefined) this.#startOver();
  }

  /** What is held, or who is there to compare it with, has changed other than by typing: somebody may lack it. */
  compareSoon(): void {
    const before = this.#at;
    this.#startOver();
    if (before !== undefined && (this.#at === undefined || before < this.#at)) this.#at = before;
  }

  /** A digest was sent, or a peer has sent an equal one, which says it for both. */
  said(): void {
    if (this.#at === undefined) return;
    this.#quietRounds += 1;
    this.#plan();
  }

  /** A peer's digest differs. */
  differed(): void {
    this.#quietRounds = 0;
    if (this.#at === undefined) this.#plan();
  }

  /** The link is down. */
  cancel(): void {
    this.#at = undefined;
  }

  #plan(): void {
    this.#at = undefined;
    if (this.#quietRounds >= this.#timing.digestRounds || !this.#host.hasAudience()) return;
    const delay = this.#backoff.next();
    this.#at = this.#host.now() + delay + (this.#host.random() * delay) / 2;
  }

  #startOver(): void {
    this.#quietRounds = 0;
    this.#backoff.reset();
    this.#plan();
  }
}
