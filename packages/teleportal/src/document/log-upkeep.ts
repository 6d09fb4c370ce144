import { afterTurn } from "@teleportal/sync-core";
import type { BackgroundWork, Steps } from "./background-work.ts";
import type { UpdateLog } from "./update-log.ts";

/** What is done to a log to keep it small and quick. */
export type Upkeep = "gathering" | "compacting";

/** What it tells the log's document. */
export interface UpkeepHost {
  /** The log may hold more deletions than it did: those that others imply. */
  compacted(): void;
  /** Yjs has refused what could be decoded; the log is as it was. */
  upkeepFailed(what: Upkeep, cause: unknown): void;
}

/**
 * Gathers what is scattered after the event-loop turn, and compacts what is bloated beside the other work. What a client has
 * written so that it fails is not tried again; the other of the two goes on.
 */
export class LogUpkeep {
  readonly #log: UpdateLog;
  readonly #background: BackgroundWork;
  readonly #host: UpkeepHost;
  #gathering = false;
  #compacting = false;
  #ended = false;

  constructor(log: UpdateLog, background: BackgroundWork, host: UpkeepHost) {
    this.#log = log;
    this.#background = background;
    this.#host = host;
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
      this.#host.upkeepFailed("gathering", cause);
    }
  }

  async #compact(): Promise<void> {
    try {
      await this.#background.run(this.#untilEnded(this.#log.compactInSteps()));
      if (this.#ended) return;
      this.#compacting = false;
      this.#host.compacted();
      // As much may have come meanwhile.
      this.soon();
    } catch (cause) {
      this.#host.upkeepFailed("compacting", cause);
    }
  }

  *#untilEnded(steps: Steps<void>): Steps<void> {
    for (const _ of steps) {
      if (this.#ended) return;
      yield;
    }
  }
}
