import { createTurnBatch } from "@teleportal/sync-core";
import { BackgroundWork } from "./background-work.ts";
import { createDelayedBatch } from "./delayed-batch.ts";

/** What a document does later, together with what other documents do. */
export interface ScheduledDocument {
  /** Sends what this event-loop turn has collected to the other instances. */
  flush(): void;
  /** Begins to store what is not stored, and makes what is held small. */
  store(): void;
  /** Tells the peers that presence goes on which clients here have renewed. */
  renew(): void;
}

/**
 * After which time the peers hear of presence that was renewed, in milliseconds; that of all documents together. A
 * client renews its own every 15 s, and takes another's for over after 30 s.
 */
const RENEWAL_DELAY_MS = 2000;

/** Of so many documents, as those of one turn go to the peers in one message. */
const RENEWED_AT_ONCE = 256;

/**
 * After which time what came from a peer is stored, in milliseconds. The peer stores it at once, as it does what its
 * own clients type, so there is no hurry: what comes meanwhile is stored with it.
 */
const STORE_DELAY_MS = 100;

/** So few documents, as nobody's keystroke is to wait for it. */
const STORED_AT_ONCE = 4;

/** When the documents of a server do what can wait. */
export class Schedule {
  /** Work in steps, one job after the other. */
  readonly background = new BackgroundWork();
  readonly #flushing = createTurnBatch<ScheduledDocument>((document) => document.flush());
  readonly #storing = createTurnBatch<ScheduledDocument>((document) => document.store());
  readonly #renewing = createDelayedBatch<ScheduledDocument>(
    RENEWAL_DELAY_MS,
    RENEWED_AT_ONCE,
    (document) => document.renew(),
  );
  readonly #storingSoon = createDelayedBatch<ScheduledDocument>(
    STORE_DELAY_MS,
    STORED_AT_ONCE,
    (document) => document.store(),
  );

  /** Has the document flushed after this event-loop turn. */
  flush(document: ScheduledDocument): void {
    this.#flushing.add(document);
  }

  /** Has it stored after this turn, behind what is on its way to the peers. */
  store(document: ScheduledDocument): void {
    this.#storing.add(document);
  }

  /** Has it stored within a moment. */
  storeSoon(document: ScheduledDocument): void {
    this.#storingSoon.add(document);
  }

  /** Has its presence renewed within a few seconds. */
  renewSoon(document: ScheduledDocument): void {
    this.#renewing.add(document);
  }

  /** What can wait is not done any more. */
  cancel(): void {
    this.#storingSoon.cancel();
    this.#renewing.cancel();
  }
}
