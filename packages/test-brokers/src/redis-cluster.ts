import { BrokerError } from "./broker-error.ts";
import { freePort } from "./free-port.ts";
import { startRedis } from "./redis.ts";
import type { RedisBroker } from "./redis.ts";
import { settles } from "./redis-settles.ts";

export interface RedisClusterSettings {
  /** At least 3: fewer cannot agree on a failover. @default 3 */
  readonly masters?: number;
  /** Of each master. @default 0 */
  readonly replicas?: 0 | 1;
  readonly password?: string;
  /**
   * After how many milliseconds of silence a node is taken for failed. A killed master's replica is promoted about
   * one to two seconds after that.
   * @default 2000
   */
  readonly nodeTimeout?: number;
  /** Further arguments of every redis-server. */
  readonly args?: readonly string[];
}

/** One node. `restart` brings it back with what it knew of the cluster (not where it runs in a container). */
export interface RedisClusterNode extends RedisBroker {
  /** What the cluster calls it. */
  readonly id: string;
}

/** A Redis Cluster of a test's own: real processes, the 16384 slots shared out evenly among the masters. */
export interface RedisCluster extends AsyncDisposable {
  /** The masters of the start, then the replica of each in the same order. */
  readonly nodes: readonly RedisClusterNode[];
  /** The node that owns a slot now, as those that run agree. */
  ownerOf(slot: number): Promise<RedisClusterNode>;
  /** Which slot Redis says a key or a shard channel has. */
  slotOf(name: string): Promise<number>;
  /** Migrates one slot with its keys, as `redis-cli --cluster reshard` does; resolves when every node knows. */
  moveSlot(slot: number, to: RedisClusterNode): Promise<void>;
  /**
   * Makes a master's replica the master: `graceful` with the master's help (CLUSTER FAILOVER), `kill` by killing it.
   * Resolves with the promoted node when every node that runs knows.
   */
  failover(master: RedisClusterNode, how: "graceful" | "kill"): Promise<RedisClusterNode>;
  /** Resolves when every node that runs calls the cluster healthy and all agree on who owns what. */
  settled(): Promise<void>;
  /** Ends all nodes. Idempotent. */
  stop(): Promise<void>;
}

const SLOTS = 16384;
const DEADLINE = 20_000;

/** @throws BrokerError if there is no Redis (see `findRedis`), or if the cluster does not come up. */
export async function startRedisCluster(
  settings: RedisClusterSettings = {},
): Promise<RedisCluster> {
  const { masters = 3, replicas = 0, password, nodeTimeout = 2000, args = [] } = settings;
  if (masters < 3) {
    throw new BrokerError(`a cluster of ${masters} masters cannot agree on a failover`, "use 3");
  }
  const nodes: RedisClusterNode[] = [];

  async function startNode(): Promise<RedisClusterNode> {
    // The default, port + 10000, may be taken; this one was free a moment ago.
    const busPort = await freePort();
    const broker = await startRedis({
      ...(password === undefined ? {} : { password }),
      args: [
        ...words(`--cluster-enabled yes --cluster-config-file nodes.conf`),
        ...words(`--cluster-port ${busPort} --cluster-node-timeout ${nodeTimeout}`),
        // Replicas are in step at once, shown once they were pinged, and stay with their master.
        ...words("--repl-diskless-sync-delay 0 --repl-ping-replica-period 1"),
        ...words("--cluster-allow-replica-migration no"),
        ...(password === undefined ? [] : ["--masterauth", password]),
        ...args,
      ],
    });
    return { ...broker, id: String(await broker.command("CLUSTER", "MYID")) };
  }

  async function running(): Promise<RedisClusterNode[]> {
    const answers = await Promise.all(
      nodes.map((node) =>
        node.command("PING").then(
          () => [node],
          () => [],
        ),
      ),
    );
    return answers.flat();
  }

  function byId(id: string): RedisClusterNode {
    const node = nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new BrokerError(`the cluster has no node ${id}`, "see its nodes");
    return node;
  }

  async function settled(): Promise<void> {
    await settles("the cluster was not settled", DEADLINE, async () => {
      const views = await Promise.all((await running()).map(viewOf));
      const [first] = views;
      return views.every(({ ok, owners }) => ok && owners === first?.owners);
    });
  }

  async function ownerOf(slot: number): Promise<RedisClusterNode> {
    const [asked] = await running();
    if (asked === undefined) throw new BrokerError("no node of the cluster runs", "restart one");
    const range = (await rangesOf(asked)).find(({ from, to }) => from <= slot && slot <= to);
    if (range === undefined) throw new BrokerError(`nobody owns the slot ${slot}`, "see its nodes");
    return byId(range.owner);
  }

  async function stop(): Promise<void> {
    await Promise.all(nodes.map((node) => node.stop()));
  }

  async function form(): Promise<void> {
    const starting = Array.from({ length: masters * (1 + replicas) }, startNode);
    for (const node of await Promise.allSettled(starting)) {
      if (node.status === "fulfilled") nodes.push(node.value);
    }
    await Promise.all(starting);
    const [first] = nodes;
    if (first === undefined) return;
    const bus = await busPortOf(first);
    for (const [i, node] of nodes.entries()) {
      await node.command("CLUSTER", "SET-CONFIG-EPOCH", String(i + 1));
      if (node !== first) {
        await node.command("CLUSTER", "MEET", first.host, String(first.port), bus);
      }
      if (i >= masters) continue;
      const from = Math.floor((SLOTS * i) / masters);
      const to = Math.floor((SLOTS * (i + 1)) / masters) - 1;
      await node.command("CLUSTER", "ADDSLOTSRANGE", String(from), String(to));
    }
    await settles("the nodes did not meet", DEADLINE, async () => {
      const known = await Promise.all(nodes.map((node) => infoOf(node, "CLUSTER", "INFO")));
      return known.every((info) => info.get("cluster_known_nodes") === String(nodes.length));
    });
    await settled();
    for (const [i, replica] of nodes.slice(masters).entries()) {
      await replica.command("CLUSTER", "REPLICATE", nodes[i]?.id ?? "");
    }
    await settles("the replicas were not in step", DEADLINE, async () => {
      const states = await Promise.all(
        nodes.slice(masters).map((node) => infoOf(node, "INFO", "replication")),
      );
      const views = await Promise.all(nodes.map(rangesOf));
      return (
        states.every((info) => info.get("master_link_status") === "up") &&
        views.flat().every((range) => range.replicas.length === replicas)
      );
    });
    await settled();
  }

  try {
    await form();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    nodes,
    ownerOf,
    async slotOf(name) {
      const [asked] = await running();
      return Number(await asked?.command("CLUSTER", "KEYSLOT", name));
    },
    async moveSlot(slot, to) {
      const name = String(slot);
      const from = await ownerOf(slot);
      if (from.id === to.id) return;
      await to.command("CLUSTER", "SETSLOT", name, "IMPORTING", from.id);
      await from.command("CLUSTER", "SETSLOT", name, "MIGRATING", to.id);
      for (;;) {
        const keys = await from.command("CLUSTER", "GETKEYSINSLOT", name, "100");
        if (!Array.isArray(keys) || keys.length === 0) break;
        const auth = password === undefined ? [] : ["AUTH", password];
        const target = [to.host, String(to.port), "", "0", "5000"];
        await from.command("MIGRATE", ...target, ...auth, "KEYS", ...keys.map(String));
      }
      // The new owner first: whoever the old one redirects is then taken in.
      const others = (await running()).filter(({ id }) => id !== to.id && id !== from.id);
      const masterNodes = [];
      for (const node of others) if (await isMaster(node)) masterNodes.push(node);
      for (const node of [to, from, ...masterNodes]) {
        await node.command("CLUSTER", "SETSLOT", name, "NODE", to.id);
      }
      await settled();
    },
    async failover(master, how) {
      const ranges = await rangesOf(master);
      const id = ranges.find(({ owner }) => owner === master.id)?.replicas[0];
      if (id === undefined) {
        throw new BrokerError("that master has no replica", "start the cluster with `replicas: 1`");
      }
      const replica = byId(id);
      if (how === "kill") await master.kill();
      else await replica.command("CLUSTER", "FAILOVER");
      await settles("the replica was not promoted", DEADLINE, () => isMaster(replica));
      await settled();
      return replica;
    },
    settled,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const words = (line: string): string[] => line.split(" ");

async function busPortOf(node: RedisClusterNode): Promise<string> {
  const reply = await node.command("CONFIG", "GET", "cluster-port");
  return Array.isArray(reply) ? String(reply[1]) : "";
}

async function isMaster(node: RedisClusterNode): Promise<boolean> {
  return (await infoOf(node, "INFO", "replication")).get("role") === "master";
}

async function viewOf(node: RedisClusterNode): Promise<{ ok: boolean; owners: string }> {
  const info = await infoOf(node, "CLUSTER", "INFO");
  const ranges = await rangesOf(node);
  const owners = ranges
    .map(({ from, to, owner, replicas }) => `${from}-${to}:${[owner, ...replicas].join(",")}`)
    .sort()
    .join(" ");
  return { ok: info.get("cluster_state") === "ok", owners };
}

interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly owner: string;
  /** Those that are well. */
  readonly replicas: readonly string[];
}

async function rangesOf(node: RedisClusterNode): Promise<SlotRange[]> {
  const reply = await node.command("CLUSTER", "SLOTS");
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((range) => {
    if (!Array.isArray(range)) return [];
    const [from, to, ...members] = range;
    const [owner = "", ...replicas] = members.map((member) =>
      Array.isArray(member) ? String(member[2]) : "",
    );
    return [{ from: Number(from), to: Number(to), owner, replicas: replicas.sort() }];
  });
}

async function infoOf(
  node: RedisClusterNode,
  ...command: readonly string[]
): Promise<Map<string, string>> {
  const lines = String(await node.command(...command)).split("\r\n");
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}
