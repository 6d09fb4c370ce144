import { setTimeout as delay } from "node:timers/promises";
import { createConnectionState, describeCause, SyncError } from "@teleportal/sync-core";
import type { Logger, SyncDriver } from "@teleportal/sync-core";
import type { PubSub } from "@google-cloud/pubsub";
import { abortable } from "./abortable.ts";
import { createLink } from "./link.ts";
import type { Link } from "./link.ts";
import { NAME } from "./name.ts";
import { orderingKeyOf } from "./ordering-key.ts";
import { removeOrphans } from "./orphans.ts";
import { removeSubscriptions } from "./provisioning.ts";
import type { Resources } from "./provisioning.ts";
import { createPubsubClients, hasStatus } from "./pubsub-clients.ts";
import type { PubsubClients, PubsubLibrary } from "./pubsub-clients.ts";
import { newSubscriptionName } from "./topic-name.ts";

/**
 * Pub/Sub takes 10 MB a message, but only 1 MB a second for an ordering key: larger parts would wait for that longer
 * than a publish may take.
 */
const MAX_PAYLOAD = 256 * 1024;

/** When an unanswered first connection is called `down`, in milliseconds. */
const FIRST_CONTACT_TIMEOUT = 3000;

/** Milliseconds from an attempt that failed to the next: doubled each time, and less by up to half at random. */
const FIRST_RETRY_DELAY = 250;
const LAST_RETRY_DELAY = 5000;

/** Milliseconds that closing waits for publishes under way, and then for the subscription to be removed. */
const CLOSE_TIMEOUT = 2500;

export interface GooglePubsubDriverSettings {
  readonly library: PubsubLibrary;
  readonly pubsub: PubSub;
  readonly ownsPubsub: boolean;
  /** Its name, without the path in front. */
  readonly topic: string;
  readonly createTopic: boolean;
  /** Milliseconds that other instances have to answer before their subscriptions are removed as orphans. */
  readonly orphanPatience: number;
  readonly logger: Logger;
}

/**
 * One topic for all documents, and one subscription for this instance: what arrives is told apart by its ordering key.
 * A link that breaks is thrown away with its subscription, and a new one takes its place: so whatever has happened
 * meanwhile, to the network or in Pub/Sub, the way back is the way in.
 */
export function createGooglePubsubDriver(settings: GooglePubsubDriverSettings): SyncDriver {
  const { pubsub, library, topic: topicName, logger } = settings;
  const handlers = new Map<string, (bytes: Uint8Array) => void>();
  const closing = new AbortController();
  const state = createConnectionState({
    name: NAME,
    firstContactTimeout: FIRST_CONTACT_TIMEOUT,
    failure: () => life.signal.reason,
  });
  /** Ends the link of this moment, or the attempt to open one. */
  let life = new AbortController();
  /** While it may be published through. */
  let link: Link | undefined;
  let linkIsDead = false;
  let subscriptionName = newSubscriptionName(topicName);
  /** Subscriptions of earlier links, by full name, that are still to be removed. */
  const abandoned = new Set<string>();
  let orphansRemoved = false;
  let clients: PubsubClients | undefined;
  /** Connections that are being given up; the next link does not wait for them. */
  const leaving = new Set<Promise<void>>();

  async function run(): Promise<void> {
    let retryDelay = FIRST_RETRY_DELAY;
    while (!closing.signal.aborted) {
      if ((await live()) > LAST_RETRY_DELAY) {
        retryDelay = FIRST_RETRY_DELAY;
        continue;
      }
      await pause(retryDelay * (1 - Math.random() / 2));
      retryDelay = Math.min(retryDelay * 2, LAST_RETRY_DELAY);
    }
  }

  async function pause(milliseconds: number): Promise<void> {
    // Closing ends it, and says so by its own signal.
    await delay(milliseconds, undefined, { signal: closing.signal }).catch(() => {});
  }

  /** One link, from the attempt to open it to its end; resolves with how many milliseconds it was up. */
  async function live(): Promise<number> {
    const current = new AbortController();
    const { signal } = current;
    life = current;
    signal.addEventListener("abort", () => {
      link = undefined;
      state.set({ state: "down", cause: signal.reason });
    });
    let opened: Link | undefined;
    let subscription = subscriptionName;
    let upSince: number | undefined;
    try {
      clients ??= await abortable(signal, createPubsubClients(library, pubsub));
      await abortable(signal, clients.initialize());
      subscription = `${clients.project}/subscriptions/${subscriptionName}`;
      const resources = {
        topic: `${clients.project}/topics/${topicName}`,
        createTopic: settings.createTopic,
        subscription,
        patience: settings.orphanPatience,
      };
      opened = createLink(clients, resources, {
        message: (orderingKey, data) => handlers.get(orderingKey)?.(data),
        broken: (cause) => current.abort(cause),
      });
      await abortable(signal, opened.open());
      upSince = performance.now();
      link = opened;
      state.set({ state: "up" });
      void tidy(clients, resources, opened.callRoll, signal);
      await aborted(signal);
    } catch (cause) {
      current.abort(cause);
    }
    opened?.end(signal.reason);
    if (upSince !== undefined) {
      // The next link starts with a subscription that is empty, instead of reading what is repaired anyway.
      abandoned.add(subscription);
      subscriptionName = newSubscriptionName(topicName);
    }
    if (clients !== undefined) {
      if (state.closed && opened?.provisioned) abandoned.add(subscription);
      if (state.closed && abandoned.size > 0) await removeAtClose(clients);
      // Connections that gRPC knows to be gone it restores itself; closed at such a moment they would come back once
      // more and stay. All others may be dead without its knowing.
      if (state.closed || !hasStatus(signal.reason, "UNAVAILABLE")) giveUp(clients);
    }
    return upSince === undefined ? 0 : performance.now() - upSince;
  }

  function giveUp(connections: PubsubClients): void {
    clients = undefined;
    const gone = connections.close();
    leaving.add(gone);
    void gone.finally(() => leaving.delete(gone));
  }

  /** Removes what earlier links, and instances that died, have left behind. */
  async function tidy(
    clients: PubsubClients,
    resources: Resources,
    callRoll: Link["callRoll"],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const left = [...abandoned];
      await removeSubscriptions(clients, left);
      for (const subscription of left) abandoned.delete(subscription);
      if (orphansRemoved) return;
      await removeOrphans(clients, resources, callRoll);
      orphansRemoved = true;
    } catch (cause) {
      // The next link tries again.
      if (signal.aborted) return;
      logger.warn(
        `[${NAME}] subscriptions that are left over could not be removed (${describeCause(cause)}): ` +
          "grant pubsub.topics.get and pubsub.subscriptions.delete; without them they expire after a day",
      );
    }
  }

  async function removeAtClose(clients: PubsubClients): Promise<void> {
    try {
      if (linkIsDead) throw new SyncError(NAME, "nothing is answered", "see the network");
      await removeSubscriptions(clients, abandoned, CLOSE_TIMEOUT);
    } catch (cause) {
      logger.warn(
        `[${NAME}] the subscription could not be removed (${describeCause(cause)}): ` +
          "the next instance that starts does it, or it expires after a day",
      );
    }
  }

  function linkThatIsUp(what: string): Link {
    state.assertUp(what);
    if (link !== undefined) return link;
    throw new SyncError(NAME, `${what} without a connection`, "wait for `up`", life.signal.reason);
  }

  const running = run();

  return {
    name: NAME,
    capabilities: {
      ordering: "channel",
      echo: "always",
      delivery: "at-least-once",
      recovery: "automatic",
      maxPayload: MAX_PAYLOAD,
    },
    watch: state.watch,
    async publish(channel, bytes) {
      await linkThatIsUp("publish").publish(orderingKeyOf(channel), bytes);
      return undefined;
    },
    async subscribe(channel, onBytes) {
      linkThatIsUp("subscribe");
      const orderingKey = orderingKeyOf(channel);
      handlers.set(orderingKey, onBytes);
      return async () => void handlers.delete(orderingKey);
    },
    reconnect() {
      life.abort(new SyncError(NAME, "nothing comes back from Pub/Sub", "it is connected anew"));
    },
    async close() {
      state.close();
      handlers.clear();
      const drained = link?.drained() ?? Promise.resolve();
      try {
        await abortable(AbortSignal.timeout(CLOSE_TIMEOUT), drained);
      } catch {
        // Nothing is answered, so the removal would not be either; what is still under way is rejected below.
        linkIsDead = true;
      }
      const cause = new SyncError(NAME, "the factory was closed", "make a new one");
      closing.abort(cause);
      life.abort(cause);
      await running;
      await Promise.all(leaving);
      if (settings.ownsPubsub) await pubsub.close();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
