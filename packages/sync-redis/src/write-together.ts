import type { RedisClientLike } from "./redis-client-like.ts";

/** So much is not held back for what is written behind it, in bytes: a few hundred keystrokes. */
const MOST_HELD = 32 * 1024;

/**
 * Runs `write`, and lets what it writes to the clients' sockets leave in one system call for each, which is what a small command
 * costs most.
 */
export function writeTogether(clients: Iterable<RedisClientLike>, write: () => void): void {
  const corked = [];
  for (const { stream } of clients) {
    if (stream === undefined) continue;
    stream.cork();
    corked.push(stream);
  }
  try {
    write();
  } finally {
    for (const stream of corked) stream.uncork();
  }
}

/** To be called after each such write: lets what is held go when it is much. */
export function releaseMuch({ stream }: RedisClientLike): void {
  if (stream === undefined || stream.writableCorked === 0) return;
  if (stream.writableLength <= MOST_HELD) return;
  stream.uncork();
  stream.cork();
}
