import { encodeUpdateFrame } from "@teleportal/sync-core";
import { expect, it } from "vitest";
import * as Y from "yjs";
import { connectRaw } from "./raw-client.ts";
import { receivedUpdates } from "./received-updates.ts";
import { startInstance } from "./start-instance.ts";
import { typedBytes, updateBytes } from "./struct-bytes.ts";

const CLIENTS = 200_000;
/** Ids as Yjs draws them take five bytes. */
const SMALLEST_ID = 2 ** 28;

/** One letter of each of so many clients, 3.2 MB. */
function crowdedUpdate(): Uint8Array {
  const structs = [typedBytes("x", { root: "text" })];
  return updateBytes(
    Array.from({ length: CLIENTS }, (_, i) => ({
      client: SMALLEST_ID + 7 * (CLIENTS - i),
      clock: 0,
      structs,
    })),
  );
}

/** Watches the event loop; the function returns the longest that it did not turn, in milliseconds, and ends it. */
function watchStretches(): () => number {
  let [longest, last, watching] = [0, performance.now(), true];
  function look(): void {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setImmediate(look);
  }
  setImmediate(look);
  return () => {
    look();
    watching = false;
    return longest;
  };
}

/** How long Yjs takes to read the update once, in milliseconds. */
function timeToRead(update: Uint8Array): number {
  const times = Array.from({ length: 3 }, () => {
    const from = performance.now();
    Y.decodeUpdate(update);
    return performance.now() - from;
  });
  return Math.min(...times);
}

it(
  "an update of 200,000 clients is taken in and handed out without holding up the others for long",
  { timeout: 600_000 },
  async () => {
    const update = crowdedUpdate();
    expect(update.length).toBeGreaterThan(3_000_000);
    const unit = timeToRead(update);
    const { url } = await startInstance();
    const [sender, reader] = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
    await Promise.all([sender.fence(), reader.fence()]);

    const longest = watchStretches();
    sender.send(encodeUpdateFrame(update));
    await sender.fence();
    await reader.first("update");
    const late = await connectRaw(url, "doc");
    await late.fence();
    expect(longest() / unit).toBeLessThan(10);

    const clients = new Set<number>();
    for (const one of receivedUpdates(late.received)) {
      for (const client of Y.parseUpdateMeta(one).to.keys()) clients.add(client);
    }
    expect(clients.size).toBe(CLIENTS);
  },
);
