import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BrokerError } from "./broker-error.ts";
import { freePort } from "./free-port.ts";
import { settles } from "./redis-settles.ts";
import { findRedis, startRedis } from "./redis.ts";
import type { RedisBroker } from "./redis.ts";
import { openResp } from "./resp.ts";
import type { RespReply } from "./resp.ts";
import { createServerProcess } from "./server-process.ts";

export interface RedisSentinelSettings {
  /** @default 1 */
  readonly replicas?: 1 | 2;
  /** Of the master and its replicas. */
  readonly password?: string;
  /**
   * After how many milliseconds of silence a node is taken for down. A killed master's replica is promoted about one
   * to two seconds after that.
   * @default 1000
   */
  readonly downAfter?: number;
  /** In milliseconds. @default 3000 */
  readonly failoverTimeout?: number;
}

/** One Sentinel. */
export interface RedisSentinel {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** One command over a connection of its own. */
  command(...args: readonly string[]): Promise<RespReply>;
  kill(): Promise<void>;
  /** Starts it again with what it knew; kills it before if need be. */
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
}

/** A master, its replicas, and three Sentinels that watch them. */
export interface RedisSentinels extends AsyncDisposable {
  /** What the Sentinels call the master. */
  readonly name: string;
  /** The master of the start, then its replicas. */
  readonly nodes: readonly RedisBroker[];
  readonly sentinels: readonly RedisSentinel[];
  /** The master that the Sentinels name now. */
  master(): Promise<RedisBroker>;
  /**
   * Has a replica promoted: `graceful` by telling a Sentinel, `kill` by killing the master. Resolves with the promoted
   * node when every Sentinel that runs names it.
   */
  failover(how: "graceful" | "kill"): Promise<RedisBroker>;
  /** Ends everything. Idempotent. */
  stop(): Promise<void>;
}

const NAME = "mymaster";
const SENTINELS = 3;
const QUORUM = 2;
const DEADLINE = 20_000;

/** @throws BrokerError if there is no Redis on this machine (see `findRedis`), or if they do not come up. */
export async function startRedisSentinels(
  settings: RedisSentinelSettings = {},
): Promise<RedisSentinels> {
  const { replicas = 1, password, downAfter = 1000, failoverTimeout = 3000 } = settings;
  const stops: (() => Promise<void>)[] = [];

  async function startNode(...args: readonly string[]): Promise<RedisBroker> {
    const node = await startRedis({
      ...(password === undefined ? {} : { password }),
      args: [
        "--repl-diskless-sync-delay",
        "0",
        "--repl-ping-replica-period",
        "1",
        ...args,
        ...(password === undefined ? [] : ["--masterauth", password]),
      ],
    });
    stops.push(node.stop);
    return node;
  }

  async function stop(): Promise<void> {
    await Promise.all(stops.map((each) => each()));
  }

  async function startAll() {
    const first = await startNode();
    const nodes = [first];
    for (let i = 0; i < replicas; i++) {
      nodes.push(await startNode("--replicaof", first.host, String(first.port)));
    }
    const lines = [
      `sentinel monitor ${NAME} ${first.host} ${first.port} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} ${downAfter}`,
      `sentinel failover-timeout ${NAME} ${failoverTimeout}`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} ${password}`]),
    ];
    const sentinels = await Promise.all(
      Array.from({ length: SENTINELS }, () => startSentinel(lines, stops)),
    );
    await settles("the Sentinels did not find each other", DEADLINE, async () => {
      const states = await Promise.all(sentinels.map(masterState));
      return states.every(
        (state) =>
          state.get("num-slaves") === String(replicas) &&
          state.get("num-other-sentinels") === String(SENTINELS - 1),
      );
    });
    return { nodes, sentinels };
  }

  let started: Awaited<ReturnType<typeof startAll>>;
  try {
    started = await startAll();
  } catch (error) {
    await stop();
    throw error;
  }
  const { nodes, sentinels } = started;

  /** Whom each Sentinel that runs names. */
  async function named(): Promise<(RedisBroker | undefined)[]> {
    const answers = await Promise.allSettled(
      sentinels.map((one) => one.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)),
    );
    return answers.flatMap((answer) => {
      if (answer.status === "rejected" || !Array.isArray(answer.value)) return [];
      const port = Number(answer.value[1]);
      return [nodes.find((node) => node.port === port)];
    });
  }

  async function master(): Promise<RedisBroker> {
    const [node] = await named();
    if (node === undefined)
      throw new BrokerError("the Sentinels name no master", "see their nodes");
    return node;
  }

  return {
    name: NAME,
    nodes,
    sentinels,
    master,
    async failover(how) {
      const before = await master();
      if (how === "kill") await before.kill();
      else await sentinels[0]?.command("SENTINEL", "FAILOVER", NAME);
      await settles("no replica was promoted", DEADLINE, async () => {
        const masters = await named();
        const [promoted] = masters;
        if (promoted === undefined || promoted === before) return false;
        const role = await promoted.command("ROLE");
        return (
          masters.every((node) => node === promoted) && Array.isArray(role) && role[0] === "master"
        );
      });
      return master();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function startSentinel(
  lines: readonly string[],
  stops: (() => Promise<void>)[],
): Promise<RedisSentinel> {
  const availability = findRedis();
  if (!availability.available) throw new BrokerError("there is no Redis", availability.help);
  const { launcher } = availability;
  if (launcher.type !== "program") {
    throw new BrokerError("a Sentinel needs its file", "install a redis-server on this machine");
  }
  const port = await freePort();
  const id = randomBytes(20).toString("hex");

  async function command(...args: readonly string[]): Promise<RespReply> {
    const connection = await openResp(port);
    try {
      return await connection.command(...args);
    } finally {
      connection.close();
    }
  }

  const server = await createServerProcess({
    name: "redis-sentinel",
    launcher,
    args(folder) {
      const file = join(folder, "sentinel.conf");
      const own = [`port ${port}`, "bind 127.0.0.1", `sentinel myid ${id}`];
      // It keeps what it learns in there.
      if (!existsSync(file)) writeFileSync(file, [...own, ...lines, ""].join("\n"));
      return [file, "--sentinel"];
    },
    async probe() {
      if ((await command("SENTINEL", "MYID")) !== id) {
        throw new BrokerError(`another Sentinel answers on port ${port}`, "choose another port");
      }
    },
  });
  stops.push(server.stop);
  await server.start();
  return {
    host: "127.0.0.1",
    port,
    command,
    kill: server.kill,
    async restart() {
      if (server.running) await server.kill();
      await server.start();
    },
    pause: server.pause,
    resume: server.resume,
  };
}

async function masterState(sentinel: RedisSentinel): Promise<Map<string, string>> {
  const reply = await sentinel.command("SENTINEL", "MASTER", NAME);
  const state = new Map<string, string>();
  if (!Array.isArray(reply)) return state;
  for (let i = 0; i + 1 < reply.length; i += 2) state.set(String(reply[i]), String(reply[i + 1]));
  return state;
}
