import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { SyncError } from "@teleportal/sync-core";
import { NAME } from "./name.ts";
import { createOrderedPublisher } from "./ordered-publisher.ts";
import { provision } from "./provisioning.ts";
import type { Resources } from "./provisioning.ts";
import { hasStatus } from "./pubsub-clients.ts";
import type { PubsubClients } from "./pubsub-clients.ts";
import { openStreamingPull } from "./streaming-pull.ts";
import type { ReceivedMessage, StreamingPull } from "./streaming-pull.ts";

/** Milliseconds that a message to oneself may take before the stream counts as dead. */
const PROOF_TIMEOUT = 5000;

/** Milliseconds, at most, in which all roll calls get one answer: many instances may start at once. */
const ANSWER_DELAY = 1000;

/** One instance's way through Pub/Sub and back, until it breaks; then a new one takes its place. */
export interface Link {
  /** Whether its subscription exists. */
  readonly provisioned: boolean;
  /** Makes what is missing in Pub/Sub; resolves when a message of its own has come back through it. */
  open(): Promise<void>;
  publish(orderingKey: string, data: Uint8Array): Promise<void>;
  /** The subscriptions of all instances that answer in time. Rejects when the link ends before. */
  callRoll(): Promise<ReadonlySet<string>>;
  /** Resolves when no publish is on its way. */
  drained(): Promise<void>;
  /** Delivers nothing afterwards, and rejects what is on its way. */
  end(cause: unknown): void;
}

export interface LinkSettings extends Resources {
  /** Milliseconds that instances have to answer a roll call. */
  readonly patience: number;
}

/**
 * Messages without an ordering key are the instances' own, and their attributes say what they are. `present` names an
 * instance's subscription: at the opening of its stream, and when the roll is called.
 */
const PRESENT = "teleportal-present";
const ROLL_CALL = "teleportal-roll-call";

export function createLink(
  clients: PubsubClients,
  settings: LinkSettings,
  on: {
    message(orderingKey: string, data: Uint8Array): void;
    /** It is of no use any more: `end` it. */
    broken(cause: unknown): void;
  },
): Link {
  const { topic, subscription, patience } = settings;
  const publisher = createOrderedPublisher(clients, topic);
  const ending = new AbortController();
  let stream: StreamingPull | undefined;
  let proof: { pass(): void; fail(cause: unknown): void } | undefined;
  let alive = new Set<string>();
  let answering: ReturnType<typeof setTimeout> | undefined;
  let provisioned = false;

  /**
   * gRPC does not say when a stream is live. A message to oneself does, and that the way to publish is, too: one for
   * each stream.
   */
  function openStream(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => fail(new SyncError(NAME, "nothing comes back from Pub/Sub", "it is tried again")),
        PROOF_TIMEOUT,
      );
      function pass(): void {
        clearTimeout(timer);
        proof = undefined;
        resolve();
      }
      function fail(cause: unknown): void {
        clearTimeout(timer);
        if (proof?.fail === fail) proof = undefined;
        reject(cause);
      }
      proof = { pass, fail };
      stream = openStreamingPull(clients, subscription, {
        message: receive,
        ended: streamEnded,
      });
      publisher.announce({ [PRESENT]: subscription }).catch(fail);
    });
  }

  function streamEnded(cause: unknown): void {
    if (proof !== undefined) proof.fail(cause);
    else replaceStream(cause).catch(on.broken);
  }

  /**
   * Pub/Sub ends every stream now and then. On a whole connection all that it had sent has arrived, and it keeps the
   * rest until the next stream is open: nothing is interrupted. What a broken connection has swallowed Pub/Sub would
   * deliver again only when the acknowledgement is overdue; a new link, and a repair, is sooner.
   */
  async function replaceStream(cause: unknown): Promise<void> {
    // gRPC ends the streams of a broken connection before it takes note of the connection itself.
    await nextTurn();
    if (!(await clients.isConnected())) throw cause;
    if (!ending.signal.aborted) await openStream();
  }

  function receive({ orderingKey, attributes, data }: ReceivedMessage): void {
    if (ending.signal.aborted) return;
    if (orderingKey !== "") {
      on.message(orderingKey, data);
      return;
    }
    const present = attributes[PRESENT];
    if (present === subscription) proof?.pass();
    if (present !== undefined) alive.add(present);
    if (attributes[ROLL_CALL] !== undefined) answerRollCall();
  }

  function answerRollCall(): void {
    answering ??= setTimeout(() => {
      answering = undefined;
      // Without the answer the subscription is removed; better to replace it now.
      publisher.announce({ [PRESENT]: subscription }).catch(on.broken);
    }, Math.random() * ANSWER_DELAY);
    answering.unref();
  }

  return {
    get provisioned() {
      return provisioned;
    },
    async open() {
      await provision(clients, settings);
      provisioned = true;
      ending.signal.throwIfAborted();
      await openStream();
    },
    async publish(orderingKey, data) {
      try {
        await publisher.publish(orderingKey, data);
      } catch (cause) {
        // The topic was removed. Its subscriptions stay, and would wait for messages for ever.
        if (hasStatus(cause, "NOT_FOUND")) on.broken(cause);
        throw cause;
      }
    },
    async callRoll() {
      alive = new Set();
      await publisher.announce({ [ROLL_CALL]: subscription });
      await delay(patience, undefined, { signal: ending.signal, ref: false });
      return alive;
    },
    drained: () => publisher.drained(),
    end(cause) {
      ending.abort(cause);
      clearTimeout(answering);
      stream?.close();
      proof?.fail(cause);
      publisher.end(cause);
    },
  };
}
