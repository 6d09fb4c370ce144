import type { Buffer } from "node:buffer";
import { SyncError } from "@teleportal/sync-core";
import { answerWithin } from "./answers.ts";
import { nodeKey, readView } from "./cluster-topology.ts";
import type { ClusterView, NodeAddress } from "./cluster-topology.ts";
import { createConnectionPair } from "./connection-pair.ts";
import { NAME } from "./driver-traits.ts";
import type { NatMap, RedisNodeLike } from "./redis-client-like.ts";
import { releaseMuch } from "./write-together.ts";

/** One master of the cluster, over a connection to publish and one to subscribe. */
export interface Shard {
  readonly key: string;
  readonly publisher: RedisNodeLike;
  readonly ready: boolean;
  readonly failure: unknown;
  /** Changes when subscriptions made so far may be gone. */
  readonly session: number;
  /** Settles when the first attempt to connect has ended one way or the other. */
  readonly attempted: Promise<void>;
  /** Who owns which slots, as this node sees it; a connection that does not answer is replaced. */
  view(): Promise<ClusterView>;
  /** Finds out whether the subscriber's connection is alive; one that does not answer is replaced. */
  probe(): void;
  publish(channel: string, bytes: Buffer): Promise<unknown>;
  /** Channels of one slot. Resolves when they are live; rejects when the session ends before that. */
  subscribe(channels: readonly string[]): Promise<void>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Opens both connections anew. */
  replace(): void;
  close(): Promise<void>;
}

export interface ShardSettings {
  readonly natMap: NatMap | undefined;
  /** How long an answer may take before its connection is replaced, in milliseconds. */
  readonly deadline: number;
  open(address: NodeAddress): RedisNodeLike;
}

/** How ioredis says that it has lost count of what answers what. */
const CONFUSED = "Command queue state error";

export function createShard(
  address: NodeAddress,
  { natMap, deadline, open }: ShardSettings,
  on: {
    bytes(channel: Buffer, bytes: Buffer): void;
    ready(): void;
    /** The session has ended: a connection is lost, or slots have moved. */
    interrupted(cause: unknown): void;
  },
): Shard {
  const key = nodeKey(address);
  const publisher = open(address);
  const subscriber = open(address);
  /** What ends those who wait for a subscription when the session does. */
  const waiting = new Set<(cause: unknown) => void>();
  let session = 0;
  let asking: Promise<ClusterView> | undefined;
  let pinging = false;
  let settleAttempt: () => void;
  const attempted = new Promise<void>((resolve) => {
    settleAttempt = resolve;
  });

  const pair = createConnectionPair(
    { publisher, subscriber, ownsPublisher: true },
    {
      ready() {
        session += 1;
        pair.failure = undefined;
        settleAttempt();
        on.ready();
      },
      lost: () => interrupt(pair.failure ?? `the connection to ${key} was closed`),
      error(error) {
        settleAttempt();
        // Up to ioredis 5.11 a `sunsubscribe` that nobody asked for was taken for the answer to the next command:
        // from there on its answers mean nothing.
        if (error instanceof Error && error.message.startsWith(CONFUSED)) pair.replace();
      },
    },
  );

  function interrupt(cause: unknown): void {
    session += 1;
    settleAttempt();
    for (const end of waiting) end(cause);
    waiting.clear();
    on.interrupted(cause);
  }

  // Redis has ended subscriptions because their slot went elsewhere, or has redirected a SSUBSCRIBE. ioredis does not
  // say which; and before ioredis 6 a redirected SSUBSCRIBE was never answered but by this.
  subscriber.on("moved", () =>
    interrupt(
      new SyncError(NAME, `slots of ${key} have moved`, "wait for `up`: they are followed"),
    ),
  );
  subscriber.on("smessageBuffer", on.bytes);

  return {
    key,
    publisher,
    get ready() {
      return pair.ready;
    },
    get failure() {
      return pair.failure;
    },
    get session() {
      return session;
    },
    attempted,
    view() {
      asking ??= answerWithin(deadline, readView(publisher, address, natMap), () =>
        pair.replace(publisher),
      ).finally(() => {
        asking = undefined;
      });
      return asking;
    },
    probe() {
      if (pinging || !pair.ready) return;
      pinging = true;
      answerWithin(deadline, subscriber.ping(), () => pair.replace(subscriber))
        .catch((cause: unknown) => {
          pair.failure = cause;
        })
        .finally(() => {
          pinging = false;
        });
    },
    publish(channel, bytes) {
      const published = publisher.spublish(channel, bytes);
      releaseMuch(publisher);
      return published;
    },
    subscribe(channels) {
      return new Promise((resolve, reject) => {
        waiting.add(reject);
        subscriber
          .ssubscribe(...channels)
          .then(() => resolve(), reject)
          .finally(() => waiting.delete(reject));
      });
    },
    unsubscribe: (channel) => subscriber.sunsubscribe(channel),
    replace: () => pair.replace(),
    async close() {
      settleAttempt();
      subscriber.off("smessageBuffer", on.bytes);
      await pair.close();
    },
  };
}
