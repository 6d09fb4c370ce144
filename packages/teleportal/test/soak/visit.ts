import { setTimeout as wait } from "node:timers/promises";
import { encodeUpdateFrame } from "@teleportal/sync-core";
import { WebSocket } from "ws";
import * as Y from "yjs";
import type { Random } from "../simulation/random.ts";

/** What of a visitor is in the document: a key for each keystroke. */
export const MARKS = "marks";

/**
 * Somebody comes, types at a human's pace, and leaves properly: what was typed has then reached the instance.
 *
 * @returns how many keystrokes were typed
 * @throws if the connection is lost before
 */
export async function visit(url: string, random: Random): Promise<number> {
  const socket = new WebSocket(url);
  const failed = new Promise<never>((_resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", (code) => reject(new Error(`[soak] a visitor was closed with ${code}`)));
  });
  // Awaited below where it matters; by then nobody may be waiting for it any more.
  failed.catch(() => {});
  await Promise.race([new Promise((resolve) => socket.once("open", resolve)), failed]);
  const doc = new Y.Doc();
  doc.on("update", (update: Uint8Array) => socket.send(encodeUpdateFrame(update)));
  const count = random.integer(1, 20);
  for (let i = 0; i < count; i++) {
    doc.getMap(MARKS).set(`${doc.clientID}-${i}`, true);
    await Promise.race([wait(random.between(10, 400)), failed]);
  }
  doc.destroy();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.close();
  await closed;
  return count;
}
