import { SyncError } from "@teleportal/sync-core";
import { NAME } from "./name.ts";
import { hasStatus } from "./pubsub-clients.ts";
import type { PubsubClients } from "./pubsub-clients.ts";
import { ACK_DEADLINE } from "./streaming-pull.ts";

/** Seconds that Pub/Sub keeps what an instance does not fetch: its least. Older messages are repaired, not read. */
const MESSAGE_RETENTION = 600;

/** Seconds without a reader after which Pub/Sub itself removes a subscription: its least. */
const EXPIRATION = 86_400;

const GRANT = "grant roles/pubsub.editor, or the permissions that the README lists";

/** Full names: `projects/…/topics/…` and `projects/…/subscriptions/…`. */
export interface Resources {
  readonly topic: string;
  readonly createTopic: boolean;
  readonly subscription: string;
}

/**
 * Makes the subscription, and the topic if it is missing and that is allowed. Every message published afterwards is
 * delivered. One that is there already is this instance's, from an attempt whose answer was lost.
 *
 * @throws SyncError with the remedy if the topic is missing, or the account may not make what is needed.
 */
export async function provision(clients: PubsubClients, resources: Resources): Promise<void> {
  try {
    await createSubscription(clients, resources);
  } catch (cause) {
    if (!hasStatus(cause, "NOT_FOUND")) throw cause;
    if (!resources.createTopic) {
      throw new SyncError(
        NAME,
        `${resources.topic} does not exist`,
        "create it, or leave out `createTopic: false`",
        cause,
      );
    }
    await createTopic(clients, resources);
    await createSubscription(clients, resources);
  }
}

async function createTopic(clients: PubsubClients, { topic }: Resources): Promise<void> {
  try {
    await clients.createTopic(topic);
  } catch (cause) {
    if (hasStatus(cause, "ALREADY_EXISTS")) return;
    if (!hasStatus(cause, "PERMISSION_DENIED")) throw cause;
    throw new SyncError(NAME, `${topic} may not be created`, `create it, or ${GRANT}`, cause);
  }
}

async function createSubscription(
  clients: PubsubClients,
  { topic, subscription }: Resources,
): Promise<void> {
  try {
    await clients.createSubscription({
      name: subscription,
      topic,
      enableMessageOrdering: true,
      ackDeadlineSeconds: ACK_DEADLINE,
      messageRetentionDuration: { seconds: MESSAGE_RETENTION },
      expirationPolicy: { ttl: { seconds: EXPIRATION } },
    });
  } catch (cause) {
    if (hasStatus(cause, "ALREADY_EXISTS")) return;
    if (!hasStatus(cause, "PERMISSION_DENIED")) throw cause;
    throw new SyncError(NAME, `${subscription} may not be created`, GRANT, cause);
  }
}

/** Removes subscriptions; those that are gone already are no error. */
export async function removeSubscriptions(
  clients: PubsubClients,
  subscriptions: Iterable<string>,
  timeout?: number,
): Promise<void> {
  await Promise.all(
    Array.from(subscriptions, async (subscription) => {
      try {
        await clients.deleteSubscription(subscription, timeout);
      } catch (cause) {
        if (!hasStatus(cause, "NOT_FOUND")) throw cause;
      }
    }),
  );
}
