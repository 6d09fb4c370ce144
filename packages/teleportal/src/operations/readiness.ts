import type { InstanceSnapshot } from "./snapshot.ts";

/** Whether a load balancer should send clients here, and if not why. */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: string };

/**
 * Judges by what it is shown from time to time. An instance that has lost its broker still serves its clients, so a short
 * outage, which all instances have at once, takes none of them out; a long one does.
 */
export class ReadinessJudge {
  readonly #limit: number;
  #degradedSince: number | undefined;

  /** `limit`: how long an instance may be degraded, in milliseconds. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `now`: any steady clock, in milliseconds. */
  judge({ sync }: Pick<InstanceSnapshot, "sync">, closing: boolean, now: number): Readiness {
    this.#degradedSince = sync === "degraded" ? (this.#degradedSince ?? now) : undefined;
    if (closing) return { ready: false, reason: "closing" };
    if (sync === "closed") return { ready: false, reason: "the sync transport factory is closed" };
    const since = this.#degradedSince;
    if (since === undefined || now - since <= this.#limit) return { ready: true };
    const seconds = Math.round((now - since) / 1000);
    return { ready: false, reason: `not in touch with the broker for ${seconds} s` };
  }
}
