import { afterTurn } from "@teleportal/sync-core";
import type { BackgroundWork, Steps } from "./background-work.ts";
import type { UpdateLog } from "./update-log.ts";

/** What is done to a log to keep it small and quick. */
export type Upkeep = "gathering" | "compacting";

/**
 * Gathers what is scattered after the event-loop turn, and compacts what is bloated beside the other work. What a client has
 * written so that it fails is not tried again; the other of the two goes on.
 */
export class LogUpkeep {
  readonly #log: UpdateLog;
  readonly #background: BackgroundWork;
  readonly #compacted: () => void;
  readonly #failed: (what: Upkeep, cause: unknown) => void;
  #gathering = false;
  #compacting = false;
  #ended = false;

  /**
   * @param compacted The log may hold more deletions than it did: those that others imply.
   * @param failed Yjs has refused what could be decoded; the log is as it was.
   */
  constructor(
    log: UpdateLog,
    background: BackgroundWork,
    compacted: () => void,
    failed: (what: Upkeep, cause: unknown) => void,
  ) {
    this.#log = log;
    this.#background = background;
    this.#compacted = compacted;
    this.#failed = failed;
  }

  /** Begins what is due. */
  soon(): void {
    if (this.#log.scattered && !this.#gathering) {
      this.#gathering = true;
      afterTurn(() => this.#gather());
    }
    if (this.#log.bloated && !this.#compacting) {
      this.#compacting = true;
      void this.#compact();
    }
  }

  /** What is under way is given up. */
  end(): void {
    this.#ended = true;
  }

  #gather(): void {
    try {
      this.#log.gather();
      this.#gathering = false;
    } catch (cause) {
      this.#failed("gathering", cause);
    }
  }

  async #compact(): Promise<void> {
    try {
      await this.#background.run(this.#untilEnded(this.#log.compactInSteps()));
      if (this.#ended) return;
      this.#compacting = false;
      this.#compacted();
      // As much may have come meanwhile.
      this.soon();
    } catch (cause) {
      this.#failed("compacting", cause);
    }
  }

  *#untilEnded(steps: Steps<void>): Steps<void> {
    for (const _ of steps) {
      if (this.#ended) return;
      yield;
    }
  }
}
