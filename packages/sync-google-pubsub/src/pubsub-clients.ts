import type { PageOptions, protos, PubSub, v1 } from "@google-cloud/pubsub";
import { SyncError } from "@teleportal/sync-core";
import { NAME } from "./name.ts";

/** The part of the library that the driver calls. */
export type PubsubLibrary = Pick<typeof import("@google-cloud/pubsub"), "PubSub" | "v1">;

export type OutgoingMessage = Pick<
  protos.google.pubsub.v1.IPubsubMessage,
  "attributes" | "data" | "orderingKey"
>;

/** What the driver needs of a stream that the library opens. */
export type PullStream = Pick<
  ReturnType<v1.SubscriberClient["streamingPull"]>,
  "cancel" | "on" | "write"
>;

/**
 * One link's two connections, to publish and to subscribe. All names are full, as in `projects/…/topics/…`. A call
 * settles within {@link CALL_TIMEOUT}, and is not repeated.
 */
export interface PubsubClients {
  /** As in `projects/my-project`. */
  readonly project: string;
  /** Resolves when there are credentials; nothing is connected before the first call. */
  initialize(): Promise<void>;
  publish(topic: string, messages: OutgoingMessage[]): Promise<void>;
  createTopic(topic: string): Promise<void>;
  createSubscription(request: protos.google.pubsub.v1.ISubscription): Promise<void>;
  /** @param timeout in milliseconds, at most {@link CALL_TIMEOUT} */
  deleteSubscription(subscription: string, timeout?: number): Promise<void>;
  listSubscriptions(topic: string): Promise<string[]>;
  acknowledge(subscription: string, ackIds: string[]): Promise<void>;
  streamingPull(subscription: string): PullStream;
  /** Whether the connection to subscribe is whole, as far as gRPC knows. */
  isConnected(): Promise<boolean>;
  /** Lets the calls under way end, and refuses others. */
  close(): Promise<void>;
}

/**
 * The status codes of gRPC that decide something here (grpc.io/docs/guides/status-codes). They are numbers on the
 * wire, and `@grpc/grpc-js` is no dependency of this package.
 */
const GRPC_STATUS = {
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

/** gRPC's connectivity state READY (grpc.github.io/grpc/core/md_doc_connectivity-semantics-and-api.html). */
const READY = 2;

export function hasStatus(error: unknown, ...statuses: (keyof typeof GRPC_STATUS)[]): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return statuses.some((status) => error.code === GRPC_STATUS[status]);
}

/** Milliseconds that a call may take; the library's own limit is ten minutes. */
export const CALL_TIMEOUT = 5000;

/** Milliseconds; Pub/Sub ends a stream itself long before. The library would after 15 minutes. */
const STREAM_TIMEOUT = 24 * 60 * 60 * 1000;

/** Milliseconds between gRPC's own attempts to connect; its limit is two minutes, and calls fail meanwhile. */
const FIRST_RECONNECT_DELAY = 250;
const LAST_RECONNECT_DELAY = 2000;

type CallOptions = NonNullable<PageOptions["gaxOpts"]>;

/**
 * The library's generated clients rather than its `Topic` and `Subscription`: those restore a broken stream without
 * a word, and pause an ordering key after a failure until they are told otherwise.
 */
export async function createPubsubClients(
  library: PubsubLibrary,
  pubsub: PubSub,
): Promise<PubsubClients> {
  const { port, ...given } = await pubsub.getClientConfig();
  const config = {
    ...given,
    ...(port !== undefined && { port: Number(port) }),
    // gRPC shares connections with equal targets in a process: a dead one would come back with the next client.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": FIRST_RECONNECT_DELAY,
    "grpc.max_reconnect_backoff_ms": LAST_RECONNECT_DELAY,
    // Said outright, or the library asks for it at the metadata server of a cloud that is not there.
    ...(pubsub.isEmulator && { clientOptions: { universeDomain: "googleapis.com" } }),
  };
  const publisher = new library.v1.PublisherClient(config);
  const subscriber = new library.v1.SubscriberClient(config);
  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  /**
   * After `close` the generated methods never settle, and leave an unhandled rejection behind; so do the library's
   * own retries that are still waiting then, which is why it is asked for none.
   */
  async function call<Answer>(method: (options: CallOptions) => Promise<Answer>): Promise<Answer> {
    if (closed) throw new SyncError(NAME, "the connection was given up", "wait for the next `up`");
    const answer = method({ timeout: CALL_TIMEOUT, retry: null });
    underWay.add(answer);
    try {
      return await answer;
    } finally {
      underWay.delete(answer);
    }
  }

  return {
    project: `projects/${pubsub.projectId}`,
    async initialize() {
      // Before any other method: those leave a failure of it, such as missing credentials, unhandled.
      await Promise.all([publisher.initialize(), subscriber.initialize()]);
    },
    async publish(topic, messages) {
      await call((options) =>
        // The library would wait 10 ms for more messages to send together.
        publisher.publish({ topic, messages }, { ...options, isBundling: false }),
      );
    },
    async createTopic(topic) {
      await call((options) => publisher.createTopic({ name: topic }, options));
    },
    async createSubscription(request) {
      await call((options) => subscriber.createSubscription(request, options));
    },
    async deleteSubscription(subscription, timeout = CALL_TIMEOUT) {
      await call((options) =>
        subscriber.deleteSubscription({ subscription }, { ...options, timeout }),
      );
    },
    async listSubscriptions(topic) {
      const [names] = await call((options) => publisher.listTopicSubscriptions({ topic }, options));
      return names;
    },
    async acknowledge(subscription, ackIds) {
      await call((options) => subscriber.acknowledge({ subscription, ackIds }, options));
    },
    streamingPull: (subscription) =>
      subscriber.streamingPull({
        timeout: STREAM_TIMEOUT,
        otherArgs: { headers: { "x-goog-request-params": `subscription=${subscription}` } },
      }),
    async isConnected() {
      const stub = await subscriber.initialize();
      return stub["getChannel"]?.().getConnectivityState(false) === READY;
    },
    async close() {
      closed = true;
      // gRPC keeps a connection that has a call under way open after the close, and for ten seconds more.
      await Promise.allSettled(underWay);
      // One that could not be initialized has nothing to close, and says only that again.
      await Promise.allSettled([publisher.close(), subscriber.close()]);
    },
  };
}
