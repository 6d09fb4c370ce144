import type { SyncDriver } from "../contract/driver.ts";
import type { PeerMessage } from "../contract/message.ts";
import { encodeEnvelope } from "../wire/envelope.ts";
import { MIN_MAX_PAYLOAD, splitEnvelope } from "../wire/parts.ts";

/** The bytes that all documents of a factory have on their way, against their common cap. */
export interface OutboxBudget {
  held: number;
  readonly cap: number;
}

/** How many subscribers a publish reached, as far as the broker tells, and what the publish carried. */
export interface Published {
  readonly messages: readonly PeerMessage[];
  readonly receivers: number | undefined;
}

const MESSAGE_OVERHEAD = 32;

function weigh(message: PeerMessage): number {
  let weight = MESSAGE_OVERHEAD;
  for (const frame of message.frames) weight += frame.length;
  return weight;
}

/** What an outbox tells its channel. */
export interface OutboxHost {
  published(bytes: number): void;
  settled(published: Published): void;
  failed(messages: readonly PeerMessage[], cause: unknown): void;
  /** Everything is out, after something had been refused for want of room. */
  relieved(): void;
}

/** What one document has on its way to the broker: the messages of this turn, and publishes not yet answered. */
export class Outbox {
  readonly #driver: SyncDriver;
  readonly #channel: string;
  readonly #capacity: number;
  readonly #budget: OutboxBudget;
  readonly #on: OutboxHost;
  #waiting: PeerMessage[] = [];
  #held = 0;
  #refused = false;
  #partId = 0;
  #drain: (() => void)[] = [];
  /** Settles, and never rejects, when everything behind a message in parts may go. */
  #largeUnderWay: Promise<void> | undefined;

  constructor(
    driver: SyncDriver,
    channel: string,
    capacity: number,
    budget: OutboxBudget,
    on: OutboxHost,
  ) {
    this.#driver = driver;
    this.#channel = channel;
    this.#capacity = capacity;
    this.#budget = budget;
    this.#on = on;
  }

  /** False, and nothing is held, when it would be too much. */
  put(message: PeerMessage): boolean {
    const weight = weigh(message);
    const budget = this.#budget;
    // One message alone may exceed the caps, or a document with a large snapshot could never be repaired.
    const full =
      this.#held > 0 && (this.#held + weight > this.#capacity || budget.held + weight > budget.cap);
    if (full) {
      this.#refused = true;
      return false;
    }
    this.#held += weight;
    budget.held += weight;
    this.#waiting.push(message);
    return true;
  }

  /** Publishes what was put since: one envelope per sender, or as many parts as its size takes. */
  flush(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    for (const group of groupBySender(messages)) {
      let weight = 0;
      for (const message of group) weight += weigh(message);
      void this.#publishAll(group, weight);
    }
  }

  /** Resolves when nothing is held any more. */
  drained(): Promise<void> {
    if (this.#held === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drain.push(resolve));
  }

  async #publishAll(messages: readonly PeerMessage[], weight: number): Promise<void> {
    const [first] = messages;
    if (first === undefined) return;
    try {
      const envelope = encodeEnvelope(first, messages);
      const maxPayload = Math.max(this.#driver.capabilities.maxPayload, MIN_MAX_PAYLOAD);
      const atOnce = this.#largeUnderWay === undefined && envelope.length <= maxPayload;
      const receivers = await (atOnce
        ? this.#publish(envelope)
        : this.#publishInTurn(splitEnvelope(first, envelope, maxPayload, () => this.#partId++)));
      this.#on.settled({ messages, receivers });
    } catch (cause) {
      this.#on.failed(messages, cause);
    } finally {
      this.#letGo(weight);
    }
  }

  #publish(envelope: Uint8Array): Promise<number | undefined> {
    this.#on.published(envelope.length);
    return this.#driver.publish(this.#channel, envelope);
  }

  /**
   * Parts go one after the other, each when the broker has the one before, so that a large message does not fill a
   * subscriber's buffer at the broker in one burst; what is published behind it waits, to stay in order.
   */
  #publishInTurn(envelopes: readonly Uint8Array[]): Promise<number | undefined> {
    const before = this.#largeUnderWay ?? Promise.resolve();
    const publishing = before.then(async () => {
      let receivers: number | undefined;
      for (const envelope of envelopes) receivers = await this.#publish(envelope);
      return receivers;
    });
    this.#holdBack(publishing);
    return publishing;
  }

  #holdBack(publishing: Promise<unknown>): void {
    const settled: Promise<void> = Promise.allSettled([publishing]).then(() => {
      if (this.#largeUnderWay === settled) this.#largeUnderWay = undefined;
    });
    this.#largeUnderWay = settled;
  }

  #letGo(weight: number): void {
    this.#held -= weight;
    this.#budget.held -= weight;
    if (this.#held > 0) return;
    const resolve = this.#drain;
    this.#drain = [];
    for (const done of resolve) done();
    if (this.#refused) {
      this.#refused = false;
      this.#on.relieved();
    }
  }
}

/** Runs of messages by the same sender and epoch: an envelope names one. Nearly always there is one run. */
function groupBySender(messages: readonly PeerMessage[]): PeerMessage[][] {
  const groups: PeerMessage[][] = [];
  let current: PeerMessage[] | undefined;
  for (const message of messages) {
    const last = current?.[0];
    if (current && last?.sender === message.sender && last.epoch === message.epoch) {
      current.push(message);
    } else {
      current = [message];
      groups.push(current);
    }
  }
  return groups;
}
