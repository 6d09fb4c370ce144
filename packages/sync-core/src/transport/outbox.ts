import type { SyncDriver } from "../contract/driver.ts";
import type { PeerMessage } from "../contract/message.ts";
import { encodeEnvelope } from "../wire/envelope.ts";
import { MIN_MAX_PAYLOAD, splitEnvelope } from "../wire/parts.ts";

/** The bytes that all documents of a factory have on their way, against their common cap. */
export interface OutboxBudget {
  held: number;
  readonly cap: number;
}

/** What one document has on its way to the broker: the messages of this turn, and publishes not yet answered. */
export interface Outbox {
  /** False, and nothing is held, when it would be too much. */
  put(message: PeerMessage): boolean;
  /** Publishes what was put since: one envelope per sender, or as many parts as its size takes. */
  flush(): void;
  /** Resolves when nothing is held any more. */
  drained(): Promise<void>;
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

export function createOutbox(
  driver: SyncDriver,
  channel: string,
  capacity: number,
  budget: OutboxBudget,
  on: {
    published(bytes: number): void;
    settled(published: Published): void;
    failed(messages: readonly PeerMessage[], cause: unknown): void;
    /** Everything is out, after something had been refused for want of room. */
    relieved(): void;
  },
): Outbox {
  let waiting: PeerMessage[] = [];
  let held = 0;
  let refused = false;
  let partId = 0;
  let drain: (() => void)[] = [];
  /** Settles, and never rejects, when everything behind a message in parts may go. */
  let largeUnderWay: Promise<void> | undefined;

  function letGo(weight: number): void {
    held -= weight;
    budget.held -= weight;
    if (held > 0) return;
    const resolve = drain;
    drain = [];
    for (const done of resolve) done();
    if (refused) {
      refused = false;
      on.relieved();
    }
  }

  function publishOne(envelope: Uint8Array): Promise<number | undefined> {
    on.published(envelope.length);
    return driver.publish(channel, envelope);
  }

  async function publishInTurn(envelopes: readonly Uint8Array[]): Promise<number | undefined> {
    let receivers: number | undefined;
    for (const envelope of envelopes) receivers = await publishOne(envelope);
    return receivers;
  }

  async function publishAll(messages: readonly PeerMessage[], weight: number): Promise<void> {
    const first = messages[0];
    if (first === undefined) return;
    try {
      const maxPayload = Math.max(driver.capabilities.maxPayload, MIN_MAX_PAYLOAD);
      const envelope = encodeEnvelope(first, messages);
      const envelopes = splitEnvelope(first, envelope, maxPayload, () => partId++);
      // Parts go one after the other, each when the broker has the one before, so that a large message does not fill
      // a subscriber's buffer at the broker in one burst; what is published behind it waits, to stay in order.
      const [only] = envelopes;
      let publishing: Promise<number | undefined>;
      if (largeUnderWay === undefined && envelopes.length === 1 && only !== undefined) {
        publishing = publishOne(only);
      } else {
        publishing = (largeUnderWay ?? Promise.resolve()).then(() => publishInTurn(envelopes));
        holdBack(publishing);
      }
      on.settled({ messages, receivers: await publishing });
    } catch (cause) {
      on.failed(messages, cause);
    } finally {
      letGo(weight);
    }
  }

  function holdBack(publishing: Promise<unknown>): void {
    const settled: Promise<void> = Promise.allSettled([publishing]).then(() => {
      if (largeUnderWay === settled) largeUnderWay = undefined;
    });
    largeUnderWay = settled;
  }

  return {
    put(message) {
      const weight = weigh(message);
      // One message alone may exceed the caps, or a document with a large snapshot could never be repaired.
      const full = held > 0 && (held + weight > capacity || budget.held + weight > budget.cap);
      if (full) {
        refused = true;
        return false;
      }
      held += weight;
      budget.held += weight;
      waiting.push(message);
      return true;
    },
    flush() {
      const messages = waiting;
      waiting = [];
      for (const group of groupBySender(messages)) {
        let weight = 0;
        for (const message of group) weight += weigh(message);
        void publishAll(group, weight);
      }
    },
    drained() {
      if (held === 0) return Promise.resolve();
      return new Promise((resolve) => drain.push(resolve));
    },
  };
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
