import { setTimeout as wait } from "node:timers/promises";
import { connectClient } from "../client/bench-client.ts";
import type { ClientProtocol } from "../client/client-protocol.ts";
import { createProgress } from "../client/progress.ts";
import type { EditingSession } from "../session/editing-session.ts";

const PATIENCE = 20_000;
const LOOK = 10;

export interface Join {
  /** From connecting to holding all that was asked for, in milliseconds; to giving up, if it never did. */
  readonly took: number;
  /** What the server has sent until then. */
  readonly bytes: number;
  /** How many of the keystrokes it has got. */
  readonly count: number;
  readonly updates: readonly Uint8Array[];
}

/** Joins a document with nothing, and leaves when it holds the first `count` keystrokes. */
export async function joinDocument(
  url: string,
  protocol: ClientProtocol,
  id: string,
  session: EditingSession,
  count: number,
): Promise<Join> {
  const progress = createProgress(session);
  const startedAt = performance.now();
  let complete: number | undefined;
  const client = await connectClient(url, protocol, id, {
    // Reading a megabyte takes long enough to make what comes behind it look late.
    held: true,
    onUpdate(update, at) {
      progress.take(update);
      if (progress.count >= count) complete ??= at;
    },
  });
  try {
    do {
      await wait(LOOK);
      client.drain();
    } while (progress.count < count && performance.now() - startedAt < PATIENCE);
    const took = (complete ?? performance.now()) - startedAt;
    return { took, bytes: client.receivedBytes, count: progress.count, updates: client.updates };
  } finally {
    await client.close();
  }
}
