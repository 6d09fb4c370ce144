import { SyncError } from "@teleportal/sync-core";
import { NAME } from "./driver-traits.ts";
import { SLOTS } from "./key-slot.ts";
import type { NatMap, RedisNodeLike } from "./redis-client-like.ts";

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** Who owns which slots, as one node of the cluster sees it. */
export interface ClusterView {
  /** The node that was asked, by its key if that is known. */
  readonly of: string | undefined;
  /** Grows with each failover: of two views that differ, the one with the greater epoch is right. */
  readonly epoch: number;
  readonly ranges: readonly {
    readonly from: number;
    readonly to: number;
    readonly master: string;
  }[];
  /** All nodes that are well, masters and replicas, by key. */
  readonly nodes: ReadonlyMap<string, NodeAddress>;
}

/** The owner's key for every slot; `undefined` where there is none. */
export type SlotOwners = (string | undefined)[];

export function nodeKey({ host, port }: NodeAddress): string {
  return `${host}:${port}`;
}

/** Asks one node. `asked` is where it was reached. */
export async function readView(
  client: Pick<RedisNodeLike, "cluster">,
  asked: NodeAddress,
  natMap: NatMap | undefined,
): Promise<ClusterView> {
  try {
    const [info, slots] = await Promise.all([client.cluster("INFO"), client.cluster("SLOTS")]);
    const epoch = Number(/^cluster_current_epoch:(\d+)/m.exec(String(info))?.[1] ?? 0);
    return { of: nodeKey(asked), epoch, ...parseSlots(slots, asked, natMap) };
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes("cluster support disabled")) {
      throw new SyncError(
        NAME,
        `${nodeKey(asked)} is not a node of a Redis Cluster`,
        "use redis:// for a single Redis, redis+sentinel:// for Sentinels",
        cause,
      );
    }
    throw cause;
  }
}

function parseSlots(
  reply: unknown,
  asked: NodeAddress,
  natMap: NatMap | undefined,
): Pick<ClusterView, "ranges" | "nodes"> {
  const nodes = new Map<string, NodeAddress>();
  const ranges: { from: number; to: number; master: string }[] = [];
  for (const range of Array.isArray(reply) ? reply : []) {
    if (!Array.isArray(range)) continue;
    const [from, to, ...members] = range;
    const keys = members.flatMap((member) => {
      if (!Array.isArray(member)) return [];
      const address = addressOf(String(member[0] ?? ""), Number(member[1]), asked, natMap);
      nodes.set(nodeKey(address), address);
      return [nodeKey(address)];
    });
    if (keys[0] !== undefined) ranges.push({ from: Number(from), to: Number(to), master: keys[0] });
  }
  return { ranges, nodes };
}

function addressOf(
  announced: string,
  port: number,
  asked: NodeAddress,
  natMap: NatMap | undefined,
): NodeAddress {
  // A node that does not know what it is called is where it was reached (redis.io/docs/latest/commands/cluster-slots).
  const host = announced === "" || announced === "?" ? asked.host : announced;
  const key = nodeKey({ host, port });
  const mapped = typeof natMap === "function" ? natMap(key) : natMap?.[key];
  return mapped ?? { host, port };
}

/**
 * One picture from several nodes' views. A node that was cut off tells of the past, and its epoch shows it. Between
 * equal epochs a slot may just be moving: there, who says to own it knows best.
 */
export function mergeViews(views: readonly ClusterView[]): {
  readonly owners: SlotOwners;
  readonly nodes: ReadonlyMap<string, NodeAddress>;
} {
  const epoch = Math.max(...views.map((view) => view.epoch));
  const latest = views.filter((view) => view.epoch === epoch);
  const owners: SlotOwners = Array.from({ length: SLOTS });
  const nodes = new Map<string, NodeAddress>();
  const hearsay = latest.map((view) => view.ranges);
  const claims = latest.map((view) => view.ranges.filter(({ master }) => master === view.of));
  for (const { from, to, master } of [...hearsay, ...claims].flat())
    owners.fill(master, from, to + 1);
  for (const view of latest) for (const [key, address] of view.nodes) nodes.set(key, address);
  return { owners, nodes };
}
