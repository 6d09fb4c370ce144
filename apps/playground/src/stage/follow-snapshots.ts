import { setTimeout as wait } from "node:timers/promises";
import type { InstanceSnapshot } from "teleportal";

/** How long an instance that does not answer is left alone, in milliseconds. */
const PAUSE = 500;

/** Reads an instance's `/inspect` until `signal` says so. */
export async function followSnapshots(
  port: number,
  signal: AbortSignal,
  take: (snapshot: InstanceSnapshot) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { body } = await fetch(`http://127.0.0.1:${port}/inspect`, { signal });
      if (body !== null) await readEvents(body, take);
    } catch {
      // It has ended, and comes back on the same port or is not followed any more.
    }
    await wait(PAUSE, undefined, { signal }).catch(() => {});
  }
}

async function readEvents(
  body: ReadableStream<Uint8Array>,
  take: (snapshot: InstanceSnapshot) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const events = rest.split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      if (event.startsWith("data: ")) take(JSON.parse(event.slice(6)) as InstanceSnapshot);
    }
  }
}
