import type { RedisOptions } from "ioredis";
import { describeCause, SyncError } from "@teleportal/sync-core";
import { firstAnswers } from "./answers.ts";
import { readView } from "./cluster-topology.ts";
import type { ClusterView, NodeAddress } from "./cluster-topology.ts";
import { endClient } from "./connection-pair.ts";
import { NAME } from "./driver-traits.ts";
import type { NatMap, RedisNodeLike } from "./redis-client-like.ts";

/** How long one node has to be connected to, in milliseconds. */
const CONNECT_TIMEOUT = 2000;

/** How long further views are waited for once there is one, in milliseconds. */
export const VIEW_PATIENCE = 200;

/**
 * Asks nodes that there is no connection to, each over one of its own, which is closed again.
 *
 * @param signal Ends it at once.
 * @throws SyncError if none answers.
 */
export async function discover(
  addresses: Iterable<NodeAddress>,
  open: (address: NodeAddress, options: RedisOptions) => RedisNodeLike,
  natMap: NatMap | undefined,
  signal: AbortSignal,
): Promise<ClusterView[]> {
  async function ask(address: NodeAddress): Promise<ClusterView> {
    const client = open(address, {
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT,
      retryStrategy: () => null,
    });
    let failure: unknown;
    client.on("error", (error: unknown) => {
      failure = error;
    });
    const abort = (): void => client.disconnect();
    signal.addEventListener("abort", abort);
    try {
      signal.throwIfAborted();
      await client.connect();
      return await readView(client, address, natMap);
    } catch (error) {
      // A lost connection rejects with no more than that; what went wrong was said before.
      throw failure ?? error;
    } finally {
      signal.removeEventListener("abort", abort);
      await endClient(client);
    }
  }

  const asked = [...addresses].map(ask);
  if (asked.length === 0) {
    throw new SyncError(
      NAME,
      "no node of the cluster is known",
      "name one, or connect the Cluster",
    );
  }
  try {
    return await firstAnswers(VIEW_PATIENCE, asked);
  } catch (cause) {
    throw new SyncError(
      NAME,
      `no node of the cluster answers (${describeCause(cause)})`,
      "see whether it runs, and whether this user may use CLUSTER",
      cause,
    );
  }
}
