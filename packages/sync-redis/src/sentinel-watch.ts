import { setTimeout as delay } from "node:timers/promises";
import { answerWithin } from "./answers.ts";
import { endClient } from "./connection-pair.ts";
import type { RedisClientLike } from "./redis-client-like.ts";

export interface SentinelWatch {
  close(): Promise<void>;
}

/** How long after a Sentinel is lost, or none could be reached, they are tried again, in milliseconds. */
const RETRY_DELAY = 1000;

/** How often the Sentinel that is listened to is asked whether it is there, and how long it may take; milliseconds. */
const PING_INTERVAL = 2000;
const PING_DEADLINE = 2000;

const CHANNEL = "+switch-master";

/**
 * Tells when the Sentinels have made another node the master.
 *
 * A master that is replaced while it is well keeps its clients for some ten seconds more, until the Sentinels turn it
 * into a replica (their `convert-to-slave`); those who connect meanwhile reach the new one, and the two halves do not
 * hear each other. Listening shortens that to the moment of the change; without a Sentinel to listen to, it is as long
 * as it was. One connection, to the first Sentinel that answers: ioredis asks them in the same order, so whoever
 * announces the new master is asked for it.
 *
 * ioredis's own `failoverDetector` opens one to every Sentinel for each of the two connections, and prints to the
 * console when one is down.
 */
export function watchSentinels(
  name: string,
  sentinels: readonly (() => RedisClientLike)[],
  switched: () => void,
): SentinelWatch {
  const ending = new AbortController();

  async function listenTo(client: RedisClientLike): Promise<void> {
    // What is waited for below ends with it.
    client.on("error", () => {});
    const abort = (): void => client.disconnect();
    ending.signal.addEventListener("abort", abort);
    let pinging: ReturnType<typeof setInterval> | undefined;
    try {
      const ended = new Promise<void>((resolve) => {
        client.on("end", () => resolve());
      });
      client.on("message", (_channel: string, text: string) => {
        if (text.startsWith(`${name} `)) switched();
      });
      await client.connect();
      await client.subscribe(CHANNEL);
      pinging = setInterval(() => {
        // A link that is dark never ends by itself.
        answerWithin(PING_DEADLINE, client.ping(), abort).catch(abort);
      }, PING_INTERVAL);
      await ended;
    } finally {
      clearInterval(pinging);
      ending.signal.removeEventListener("abort", abort);
      await endClient(client);
    }
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      for (const open of sentinels) {
        if (ending.signal.aborted) return;
        try {
          await listenTo(open());
          break;
        } catch {
          // This one is away. It only matters if the master is too, and then its own connections tell.
        }
      }
      // Rejects when it is aborted, which the loop looks for itself.
      await delay(RETRY_DELAY, undefined, { signal: ending.signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    async close() {
      ending.abort();
      await running;
    },
  };
}
