import type { RedisOptions } from "ioredis";
import { createConnectionState, SyncError } from "@teleportal/sync-core";
import type { SyncDriver } from "@teleportal/sync-core";
import { firstAnswers, within } from "./answers.ts";
import { bufferOver } from "./buffer-over.ts";
import { discover, VIEW_PATIENCE } from "./cluster-discovery.ts";
import { createShard } from "./cluster-shard.ts";
import type { Shard } from "./cluster-shard.ts";
import { mergeViews, nodeKey } from "./cluster-topology.ts";
import type { ClusterView, NodeAddress, SlotOwners } from "./cluster-topology.ts";
import { CAPABILITIES, NAME, RESTORE_GROUP } from "./driver-traits.ts";
import { keySlot } from "./key-slot.ts";
import type { NatMap, RedisNodeLike } from "./redis-client-like.ts";
import { isRefusal } from "./refusal.ts";
import { writeTogether } from "./write-together.ts";

export interface ClusterDriverSettings {
  /** Nodes to begin with, and to fall back to when none of the known ones answers. */
  seeds(): readonly NodeAddress[];
  readonly natMap?: NatMap | undefined;
  /** Opens a connection to a node. */
  open(address: NodeAddress, options?: RedisOptions): RedisNodeLike;
  /**
   * How often every connection is asked for a sign of life and the cluster for its slots, in milliseconds.
   * @default 1500
   */
  readonly interval?: number | undefined;
  /**
   * How long that may take before the connection is replaced, in milliseconds.
   * @default 3500
   */
  readonly deadline?: number | undefined;
}

/** How long newly found masters may take to be connected to, before the others go on without them; milliseconds. */
const ARRIVAL_TIMEOUT = 2000;

/** The first and the longest pause before the subscriptions are put right again, in milliseconds. */
const MIN_PAUSE = 20;
const MAX_PAUSE = 500;

/** After so long without an interruption the pauses begin anew, in milliseconds. */
const CALM = 5000;

/** How often a new subscription follows its slot when that is just moving. */
const MAX_REDIRECTIONS = 3;

interface Subscription {
  readonly slot: number;
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Whether the caller has been told that it is live. From then on the driver answers for it. */
  owed: boolean;
  /** Where it was asked for last, and whether Redis has said yes. */
  place: Place | undefined;
}

interface Place {
  readonly shard: Shard;
  readonly session: number;
  confirmed: boolean;
}

/**
 * Redis Cluster's sharded pub/sub: a channel lives on the one node that owns its slot, and a publish costs one node one
 * message, where PUBLISH would cost every node of the cluster one.
 *
 * The driver holds two plain connections to each master. ioredis's `Cluster` is not used: it queues commands for nodes
 * that it has no connection to and while it follows a failover, sends the redirected ones behind later ones, and tells
 * nobody when a subscription that it restores by itself has failed.
 *
 * A subscription counts as live while the node that owns its slot has confirmed it over the connection that still
 * stands. When a connection breaks, when Redis ends a subscription because its slot has moved, or when the nodes name
 * another owner, the driver says `down`, subscribes again wherever that is needed, and says `up` when the last one is
 * confirmed.
 */
export function createRedisClusterDriver(settings: ClusterDriverSettings): SyncDriver {
  const { natMap, open, interval = 1500, deadline = 3500 } = settings;
  const subscriptions = new Map<string, Subscription>();
  const shards = new Map<string, Shard>();
  const retiring = new Set<Promise<void>>();
  const ending = new AbortController();
  let owners: SlotOwners = [];
  /** All nodes, replicas too, of the last view: whoever is left tells of the others. */
  let known: ReadonlyMap<string, NodeAddress> = new Map();
  let failure: unknown;
  let pause = MIN_PAUSE;
  let interruptedAt = 0;
  let due = 0;
  let settling: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const state = createConnectionState({ name: NAME, failure: () => failure });

  function ownerOf(slot: number): Shard | undefined {
    const key = owners[slot];
    return key === undefined ? undefined : shards.get(key);
  }

  function isLive({ slot, place }: Subscription): boolean {
    return place?.confirmed === true && stands(place) && place.shard === ownerOf(slot);
  }

  /** Whether the driver may say `up`: a node that no subscription needs may be away. */
  function areLive(): boolean {
    if (![...shards.values()].some((shard) => shard.ready)) return false;
    for (const subscription of subscriptions.values()) {
      if (subscription.owed && !isLive(subscription)) return false;
    }
    return true;
  }

  function down(cause: unknown): void {
    failure = cause;
    if (state.up) interruptedAt = performance.now();
    state.set({ state: "down", cause });
  }

  /** A shard's session has ended. */
  function onInterrupted(cause: unknown): void {
    if (state.up && !areLive()) down(cause);
    failure = cause;
    settleAfter(pause);
  }

  /** One run at a time, `delay` milliseconds from now at the latest. */
  function settleAfter(delay: number): void {
    const at = performance.now() + delay;
    if (state.closed || (timer !== undefined && due <= at)) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      timer = undefined;
      if (settling === undefined) void settleNow();
      else settleAfter(MIN_PAUSE);
    }, delay);
  }

  function settleNow(): Promise<void> {
    settling ??= settle().finally(() => {
      settling = undefined;
    });
    return settling;
  }

  /** Looks where the slots are, and brings connections and subscriptions in step with that. */
  async function settle(): Promise<void> {
    if (!state.up) pause = Math.min(pause * 2, MAX_PAUSE);
    try {
      await adopt(await readViews());
      await restore();
    } catch (cause) {
      failure = cause;
    }
    if (state.closed) return;
    if (areLive()) {
      failure = undefined;
      state.set({ state: "up" });
      return;
    }
    down(failure ?? "some subscriptions are not live");
    settleAfter(pause);
  }

  async function readViews(): Promise<ClusterView[]> {
    const ready = [...shards.values()].filter((shard) => shard.ready);
    // A minority may have been cut off from the others, and tell of the past.
    if (ready.length > shards.size / 2) {
      try {
        return await firstAnswers(
          VIEW_PATIENCE,
          ready.map((shard) => shard.view()),
        );
      } catch (cause) {
        failure = cause;
      }
    }
    const all = new Map(settings.seeds().map((seed) => [nodeKey(seed), seed]));
    for (const [key, address] of known) all.set(key, address);
    return discover(all.values(), open, natMap, ending.signal);
  }

  async function adopt(views: readonly ClusterView[]): Promise<void> {
    if (state.closed) return;
    const merged = mergeViews(views);
    const masters = new Set(merged.owners);
    masters.delete(undefined);
    if (masters.size === 0) {
      throw new SyncError(NAME, "no node of the cluster owns a slot", "assign the slots");
    }
    ({ owners, nodes: known } = merged);
    // A replica passes on what its master is told, but no longer says when a slot moves (redis/redis#12558): what
    // was subscribed at a master that is none any more is subscribed elsewhere.
    const leaving = [...shards.values()].filter(({ key }) => !masters.has(key));
    for (const shard of leaving) shards.delete(shard.key);
    if (state.up && !areLive()) {
      down(new SyncError(NAME, "slots have moved", "wait for `up`: they are followed"));
    }
    for (const shard of leaving) void retire(shard);
    const arriving = [...known].filter(([key]) => masters.has(key) && !shards.has(key));
    for (const [key, address] of arriving) shards.set(key, openShard(address));
    await within(
      ARRIVAL_TIMEOUT,
      arriving.map(([key]) => shards.get(key)?.attempted),
    );
  }

  function openShard(address: NodeAddress): Shard {
    return createShard(
      address,
      { natMap, deadline, open },
      {
        bytes(channel, bytes) {
          subscriptions.get(channel.toString())?.onBytes(bytes);
        },
        ready: () => settleAfter(0),
        interrupted: onInterrupted,
      },
    );
  }

  function retire(shard: Shard): Promise<void> {
    const retired = shard.close().finally(() => retiring.delete(retired));
    retiring.add(retired);
    return retired;
  }

  /** Subscribes again what is owed and not live. What cannot be is told by `failure`. */
  async function restore(): Promise<void> {
    const groups = [...groupsToRestore()];
    for (let i = 0; i < groups.length; i += RESTORE_GROUP) {
      await Promise.all(
        groups.slice(i, i + RESTORE_GROUP).map(async ({ shard, channels }) => {
          try {
            await place(shard, channels);
          } catch (cause) {
            failure = cause;
          }
        }),
      );
      if (state.closed) return;
    }
  }

  /** Channels that one SSUBSCRIBE may name: those of one slot. */
  function* groupsToRestore(): Iterable<{ shard: Shard; channels: string[] }> {
    const bySlot = new Map<number, string[]>();
    for (const [channel, subscription] of subscriptions) {
      if (!subscription.owed || isLive(subscription)) continue;
      const channels = bySlot.get(subscription.slot);
      if (channels === undefined) bySlot.set(subscription.slot, [channel]);
      else channels.push(channel);
    }
    for (const [slot, channels] of bySlot) {
      const shard = ownerOf(slot);
      if (!shard?.ready) {
        failure = shard?.failure ?? unreachable(slot);
        continue;
      }
      for (let i = 0; i < channels.length; i += RESTORE_GROUP) {
        yield { shard, channels: channels.slice(i, i + RESTORE_GROUP) };
      }
    }
  }

  /** Asks `shard` for channels of one slot, as far as they are still wanted; resolves when they are confirmed. */
  async function place(shard: Shard, channels: readonly string[]): Promise<void> {
    const placing = new Map<string, Place>();
    for (const channel of channels) {
      const subscription = subscriptions.get(channel);
      if (subscription === undefined) continue;
      subscription.place = { shard, session: shard.session, confirmed: false };
      placing.set(channel, subscription.place);
    }
    if (placing.size === 0) return;
    await shard.subscribe([...placing.keys()]);
    for (const placed of placing.values()) placed.confirmed = true;
  }

  /** The same for one that is new: it follows its slot a few times, and fails alone. */
  async function placeNew(channel: string, subscription: Subscription): Promise<void> {
    for (let redirections = 0; ; redirections++) {
      const shard = ownerOf(subscription.slot);
      if (!shard?.ready) throw unreachable(subscription.slot, shard?.failure);
      const { session } = shard;
      let failed: unknown;
      try {
        await place(shard, [channel]);
        if (isLive(subscription)) {
          subscription.owed = true;
          return;
        }
      } catch (cause) {
        failed = cause;
      }
      // Subscribed, and yet not live: its slot has gone elsewhere meanwhile.
      const moved = failed === undefined || session !== shard.session || isRedirection(failed);
      if (!moved || redirections === MAX_REDIRECTIONS) throw explain(failed);
      await settleNow();
      state.assertUp("subscribe");
    }
  }

  const ticker = setInterval(() => {
    if (state.up && performance.now() - interruptedAt > CALM) pause = MIN_PAUSE;
    for (const shard of shards.values()) shard.probe();
    settleAfter(0);
  }, interval);
  // It has no use of its own: a process whose work is done may end.
  ticker.unref?.();
  settleAfter(0);

  return {
    name: NAME,
    capabilities: CAPABILITIES,
    watch: state.watch,
    async publish(channel, bytes) {
      state.assertUp("publish");
      const slot = keySlot(channel);
      const shard = ownerOf(slot);
      if (!shard?.ready) throw unreachable(slot, shard?.failure);
      try {
        await shard.publish(channel, bufferOver(bytes));
      } catch (cause) {
        // Not sent after the slot: what is published behind it may be there already.
        if (isRedirection(cause)) settleAfter(0);
        throw cause;
      }
      // The number that Redis tells leaves out who is subscribed at a replica, as somebody may be after a failover.
      return undefined;
    },
    together(publishAll) {
      writeTogether(
        [...shards.values()].map(({ publisher }) => publisher),
        publishAll,
      );
    },
    async subscribe(channel, onBytes) {
      state.assertUp("subscribe");
      const subscription: Subscription = {
        slot: keySlot(channel),
        onBytes,
        owed: false,
        place: undefined,
      };
      subscriptions.set(channel, subscription);
      try {
        await placeNew(channel, subscription);
      } catch (cause) {
        subscriptions.delete(channel);
        throw cause;
      }
      return async () => {
        subscriptions.delete(channel);
        const { place } = subscription;
        if (place === undefined || !place.shard.ready) return;
        try {
          await place.shard.unsubscribe(channel);
        } catch (cause) {
          // A subscription ends with its connection, and with its slot's leaving the node.
          if (isRefusal(cause) && !isRedirection(cause)) throw cause;
        }
      };
    },
    reconnect() {
      down(new SyncError(NAME, "nothing comes back", "wait for `up`: it is connected to anew"));
      for (const shard of shards.values()) shard.replace();
      settleAfter(pause);
    },
    async close() {
      state.close();
      clearInterval(ticker);
      clearTimeout(timer);
      subscriptions.clear();
      ending.abort();
      for (const shard of shards.values()) void retire(shard);
      await Promise.all([settling, ...retiring]);
    },
  };
}

/** Whether a subscription made there can still be there. */
function stands({ shard, session }: Place): boolean {
  return shard.ready && session === shard.session;
}

function isRedirection(cause: unknown): boolean {
  return cause instanceof Error && /^(MOVED|ASK|CLUSTERDOWN|TRYAGAIN) /.test(cause.message);
}

function unreachable(slot: number, cause?: unknown): SyncError {
  return new SyncError(
    NAME,
    `the node that owns slot ${slot} is not connected`,
    "it is connected to as soon as it is there",
    cause,
  );
}

function explain(cause: unknown): unknown {
  if (cause instanceof Error && cause.message.includes("unknown command")) {
    return new SyncError(NAME, "this Redis has no sharded pub/sub", "update it to 7.0", cause);
  }
  return cause;
}
