import { createBackoff } from "./backoff.ts";
import type { ReplicaOptions } from "./options.ts";

/**
 * When the next digest is due: soon after activity, then at growing distance, then never, so that a quiet document
 * sends nothing. Not while there is nobody to hear it.
 */
export interface DigestSchedule {
  /** When the next one is due, if any is. */
  due(): number | undefined;
  /** Whether typing is so recent that two digests differ by what is on its way. */
  isUnsettled(): boolean;
  /**
   * Something was typed. Own typing puts the next digest off, as every message of it reveals a loss before it; typing
   * elsewhere does not, or a lost last message could stay unseen for as long as somebody else types.
   */
  typed(where: "here" | "elsewhere"): void;
  /** What is held, or who is there to compare it with, has changed other than by typing: somebody may lack it. */
  compareSoon(): void;
  /** A digest was sent, or a peer has sent an equal one, which says it for both. */
  said(): void;
  /** A peer's digest differs. */
  differed(): void;
  /** The link is down. */
  cancel(): void;
}

export function createDigestSchedule(
  timing: Required<
    Pick<ReplicaOptions, "digestDelay" | "digestMaxDelay" | "digestRounds" | "settleTime">
  >,
  host: { now(): number; random(): number },
  hasAudience: () => boolean,
): DigestSchedule {
  const backoff = createBackoff(timing.digestDelay, timing.digestMaxDelay);
  let at: number | undefined;
  /** Digests since the last sign of activity. */
  let quietRounds = 0;
  let typedAt = Number.NEGATIVE_INFINITY;

  function plan(): void {
    at = undefined;
    if (quietRounds >= timing.digestRounds || !hasAudience()) return;
    const delay = backoff.next();
    at = host.now() + delay + (host.random() * delay) / 2;
  }

  function startOver(): void {
    quietRounds = 0;
    backoff.reset();
    plan();
  }

  return {
    due: () => at,
    isUnsettled: () => host.now() - typedAt < timing.settleTime,
    typed(where) {
      typedAt = host.now();
      quietRounds = 0;
      if (where === "here" || at === undefined) startOver();
    },
    compareSoon() {
      const before = at;
      startOver();
      if (before !== undefined && (at === undefined || before < at)) at = before;
    },
    said() {
      if (at === undefined) return;
      quietRounds += 1;
      plan();
    },
    differed() {
      quietRounds = 0;
      if (at === undefined) plan();
    },
    cancel() {
      at = undefined;
    },
  };
}
