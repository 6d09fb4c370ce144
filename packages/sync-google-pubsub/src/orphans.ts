import type { Link } from "./link.ts";
import { removeSubscriptions } from "./provisioning.ts";
import type { Resources } from "./provisioning.ts";
import type { PubsubClients } from "./pubsub-clients.ts";
import { isInstanceSubscription } from "./topic-name.ts";

/**
 * Removes the subscriptions of instances that died without closing. Alive is who answers: the subscriptions are listed
 * first and then the roll is called through the topic, so that each of them holds the call, and an instance that is
 * just starting answers as soon as its stream is open. No clocks are compared, and nothing is renewed while all is
 * well. An instance that is wrongly taken for dead sees its stream end, and makes itself a new subscription.
 */
export async function removeOrphans(
  clients: PubsubClients,
  { topic, subscription }: Resources,
  callRoll: Link["callRoll"],
): Promise<void> {
  const listed = await clients.listSubscriptions(topic);
  const others = listed.filter(
    (name) => name !== subscription && isInstanceSubscription(lastPartOf(topic), lastPartOf(name)),
  );
  if (others.length === 0) return;
  const alive = await callRoll();
  await removeSubscriptions(
    clients,
    others.filter((name) => !alive.has(name)),
  );
}

function lastPartOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
