import { BrokerError } from "./broker-error.ts";
import { freePort } from "./free-port.ts";
import { startNats } from "./nats.ts";
import type { NatsBroker } from "./nats.ts";

/** NATS servers that carry each other's messages. */
export interface NatsCluster extends AsyncDisposable {
  /** A node's `restart` resolves when the routes between it and the other running ones are there again. */
  readonly nodes: readonly NatsBroker[];
  /** All of them, as a client takes them. */
  readonly url: string;
  /** Ends all of them. Idempotent. */
  stop(): Promise<void>;
}

const PROBE_INTERVAL = 50;
const ROUTES_TIMEOUT = 15_000;

export interface NatsClusterOptions {
  /**
   * Whether clients are told of the other nodes. A client that reaches one through a link to be broken would go around it.
   * Default: false.
   */
  readonly advertise?: boolean;
}

/**
 * @param size How many nodes.
 * @throws BrokerError if there is no NATS server, or if the nodes do not find each other.
 */
export async function startNatsCluster(
  size = 3,
  { advertise = false }: NatsClusterOptions = {},
): Promise<NatsCluster> {
  const routePorts = await Promise.all(Array.from({ length: size }, freePort));
  const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`);
  const started = await Promise.allSettled(
    routePorts.map((port) =>
      startNats({
        config: {
          cluster: { name: "test", listen: `127.0.0.1:${port}`, routes, no_advertise: !advertise },
        },
      }),
    ),
  );
  const brokers = started.flatMap((node) => (node.status === "fulfilled" ? [node.value] : []));
  const running = new Set(brokers);

  async function stop(): Promise<void> {
    await Promise.all(brokers.map((broker) => broker.stop()));
  }

  /** Two nodes may hold more than one route to each other: what counts is whom they reach. */
  async function reached(broker: NatsBroker): Promise<number> {
    const { routes: list } = await broker.monitor("/routez");
    return new Set((list as { remote_id: string }[]).map((route) => route.remote_id)).size;
  }

  async function routesFormed(): Promise<void> {
    const deadline = Date.now() + ROUTES_TIMEOUT;
    for (;;) {
      const counts = await Promise.all([...running].map(reached));
      if (counts.every((count) => count >= running.size - 1)) return;
      if (Date.now() > deadline) {
        throw new BrokerError(
          `the NATS nodes reach ${counts.join(", ")} others after ${ROUTES_TIMEOUT} ms`,
          "see whether their route ports are free",
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL));
    }
  }

  try {
    for (const node of started) if (node.status === "rejected") throw node.reason;
    await routesFormed();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    nodes: brokers.map((broker) => ({
      ...broker,
      async kill() {
        running.delete(broker);
        await broker.kill();
      },
      async restart(changes) {
        await broker.restart(changes);
        running.add(broker);
        await routesFormed();
      },
    })),
    url: brokers.map(({ url }) => url).join(","),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
