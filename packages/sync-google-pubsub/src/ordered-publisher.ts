import { setTimeout as delay } from "node:timers/promises";
import { CALL_TIMEOUT, hasStatus } from "./pubsub-clients.ts";
import type { OutgoingMessage, PubsubClients } from "./pubsub-clients.ts";

/** Publishes to one topic; what has the same ordering key in the order given. */
export interface OrderedPublisher {
  publish(orderingKey: string, data: Uint8Array): Promise<void>;
  /** A message for the instances themselves: no data, and in no order. */
  announce(attributes: Record<string, string>): Promise<void>;
  /** Resolves when nothing is on its way. */
  drained(): Promise<void>;
  /** Rejects what is on its way. */
  end(cause: unknown): void;
}

/** Pub/Sub takes 1000 messages and 10 MB in one request; these leave room for what is around the data. */
const MAX_REQUEST_MESSAGES = 500;
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** What is published while so many requests are under way goes together in the next. */
const MAX_REQUESTS = 32;

/** Milliseconds before a request is repeated that Pub/Sub could not take for a moment. */
const REPEAT_DELAY = 200;

interface Waiting {
  readonly orderingKey: string;
  readonly data: Uint8Array;
  resolve(): void;
  reject(cause: unknown): void;
}

/**
 * A key has one request under way at a time, since two could overtake each other. A request that fails takes only its
 * own messages with it: what was lost is repaired above, and its keys go on.
 */
export function createOrderedPublisher(
  clients: Pick<PubsubClients, "publish">,
  topic: string,
): OrderedPublisher {
  /** What waits for a request, by ordering key. */
  const queues = new Map<string, Waiting[]>();
  /** The keys that have a request under way. */
  const busy = new Set<string>();
  const unsettled = new Set<Waiting>();
  const ending = new AbortController();
  let requests = 0;
  let onDrained: (() => void)[] = [];

  function settle(batch: Iterable<Waiting>, how: (message: Waiting) => void): void {
    for (const message of batch) if (unsettled.delete(message)) how(message);
    if (unsettled.size > 0) return;
    for (const resolve of onDrained.splice(0)) resolve();
  }

  function pump(): void {
    while (requests < MAX_REQUESTS) {
      const batch = takeBatch(queues, busy);
      if (batch.length === 0) return;
      void send(batch);
    }
  }

  async function send(batch: readonly Waiting[]): Promise<void> {
    const keys = new Set(batch.map(({ orderingKey }) => orderingKey));
    for (const key of keys) busy.add(key);
    requests += 1;
    try {
      await request(batch.map(({ data, orderingKey }) => ({ data, orderingKey })));
      settle(batch, (message) => message.resolve());
    } catch (cause) {
      settle(batch, (message) => message.reject(cause));
    }
    requests -= 1;
    for (const key of keys) busy.delete(key);
    pump();
  }

  async function request(messages: OutgoingMessage[]): Promise<void> {
    const deadline = performance.now() + CALL_TIMEOUT;
    for (;;) {
      try {
        await clients.publish(topic, messages);
        return;
      } catch (cause) {
        const momentary = hasStatus(cause, "ABORTED", "INTERNAL", "UNAVAILABLE");
        if (!momentary || performance.now() + REPEAT_DELAY > deadline) throw cause;
        await delay(REPEAT_DELAY, undefined, { signal: ending.signal });
      }
    }
  }

  return {
    publish(orderingKey, data) {
      return new Promise((resolve, reject) => {
        if (ending.signal.aborted) {
          reject(ending.signal.reason);
          return;
        }
        const message = { orderingKey, data, resolve, reject };
        unsettled.add(message);
        const queue = queues.get(orderingKey);
        if (queue === undefined) queues.set(orderingKey, [message]);
        else queue.push(message);
        pump();
      });
    },
    announce: (attributes) => clients.publish(topic, [{ attributes }]),
    drained() {
      if (unsettled.size === 0) return Promise.resolve();
      return new Promise((resolve) => onDrained.push(resolve));
    },
    end(cause) {
      ending.abort(cause);
      queues.clear();
      settle(unsettled, (message) => message.reject(cause));
    },
  };
}

/** Takes the next request's messages out of the queues of keys that have none under way. */
function takeBatch(queues: Map<string, Waiting[]>, busy: ReadonlySet<string>): Waiting[] {
  const batch: Waiting[] = [];
  let bytes = 0;
  for (const [orderingKey, queue] of queues) {
    if (busy.has(orderingKey)) continue;
    let taken = 0;
    for (const message of queue) {
      bytes += message.data.length;
      const full = batch.length === MAX_REQUEST_MESSAGES || bytes > MAX_REQUEST_BYTES;
      if (full && batch.length > 0) break;
      batch.push(message);
      taken += 1;
    }
    queue.splice(0, taken);
    if (queue.length > 0) return batch;
    queues.delete(orderingKey);
  }
  return batch;
}
