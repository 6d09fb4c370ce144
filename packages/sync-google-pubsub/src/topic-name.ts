import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { SyncError } from "@teleportal/sync-core";
import { NAME } from "./name.ts";

/** What the names of topics and subscriptions have in common (cloud.google.com/pubsub/docs/pubsub-basics). */
const RESOURCE_NAME = /^(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$/;

/** What is left of 255 characters when a subscription's own part is behind the topic's name. */
const MAX_TOPIC_NAME = 200;

/**
 * The topic of a key prefix: `teleportal:sync:` has `teleportal.sync.`. A `:` becomes a `.`, and whatever else a name
 * may not have, `.` and `+` among it, becomes `+` and two hex digits for each byte, so that no two prefixes share a
 * topic. Prefixes that make no valid name get `t++` in front, and too long ones are `t+-` and a hash: neither can
 * come from another prefix, as no hex digit follows the `+`.
 */
export function topicNameOf(keyPrefix: string): string {
  const name = keyPrefix.replaceAll(/[^A-Za-z0-9\-_~]/gu, (character) =>
    character === ":" ? "." : escape(character),
  );
  if (name.length > MAX_TOPIC_NAME - 3) {
    return `t+-${createHash("sha256").update(keyPrefix).digest("hex")}`;
  }
  return RESOURCE_NAME.test(name) ? name : `t++${name}`;
}

/** @throws SyncError if Pub/Sub would not take it. */
export function checkTopicName(name: string): void {
  if (RESOURCE_NAME.test(name)) return;
  throw new SyncError(
    NAME,
    `"${name}" cannot be a topic's name`,
    "use 3 to 255 letters, digits and -_.~+%, a letter first and not `goog`",
  );
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The name of a new instance's subscription. */
export function newSubscriptionName(topic: string): string {
  return `${subscriptionPrefixOf(topic)}${randomUUID()}`;
}

/** Whether that subscription is an instance's, and not an operator's own on the same topic. */
export function isInstanceSubscription(topic: string, subscription: string): boolean {
  const prefix = subscriptionPrefixOf(topic);
  return subscription.startsWith(prefix) && UUID.test(subscription.slice(prefix.length));
}

function subscriptionPrefixOf(topic: string): string {
  return `${topic.slice(0, MAX_TOPIC_NAME)}~`;
}

function escape(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `+${byte.toString(16).padStart(2, "0")}`)
    .join("");
}
