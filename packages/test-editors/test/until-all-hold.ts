import * as Y from "yjs";
import type { Client } from "./client.ts";

/** Above it the test has failed, in milliseconds: also with a slow machine and a repair that is tried again. */
const TIMEOUT_MS = 60_000;

/**
 * Resolves when all clients hold exactly what `expected` does, deletions included.
 *
 * @throws as soon as a client makes an update that nobody asked it for; and when it takes too long
 */
export async function untilAllHold(
  clients: readonly Client[],
  expected: Y.Doc,
  timeout = TIMEOUT_MS,
): Promise<void> {
  const stateVector = Y.encodeStateVector(expected);
  const snapshot = Y.snapshot(expected);
  const missing = new Set(clients);

  function look(): void {
    for (const client of clients) {
      const { name, unasked } = client;
      if (unasked.length > 0) {
        const bytes = unasked.reduce((sum, { length }) => sum + length, 0);
        throw new Error(
          `${name} made ${unasked.length} updates (${bytes} bytes) although nobody did anything there`,
        );
      }
      // Comparing state vectors is cheap, and most often says no.
      const held = Y.encodeStateVector(client.doc);
      const maybe = held.length === stateVector.length;
      if (maybe && Y.equalSnapshots(Y.snapshot(client.doc), snapshot)) missing.delete(client);
      else missing.add(client);
    }
  }

  await new Promise<void>((resolve, reject) => {
    let looking = false;
    function finish(error?: unknown): void {
      clearTimeout(timer);
      for (const { doc } of clients) doc.off("update", lookSoon);
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error(String(error)));
    }
    function lookNow(): void {
      looking = false;
      try {
        look();
        if (missing.size === 0) finish();
      } catch (error) {
        finish(error);
      }
    }
    // Once for all updates of a turn, and after what an editor does at the end of it.
    function lookSoon(): void {
      if (looking) return;
      looking = true;
      setTimeout(lookNow, 0);
    }
    const timer = setTimeout(() => {
      const names = [...missing].map(({ name, doc }) => `${name} (${difference(doc, expected)})`);
      finish(new Error(`after ${timeout} ms not all is there: ${names.join(", ")}`));
    }, timeout);
    for (const { doc } of clients) doc.on("update", lookSoon);
    lookSoon();
  });
}

function difference(doc: Y.Doc, expected: Y.Doc): string {
  const [held, wanted] = [doc, expected].map((one) => Y.snapshot(one));
  if (held === undefined || wanted === undefined) return "";
  const count = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);
  const deleted = ({ ds }: Y.Snapshot) =>
    count([...ds.clients.values()].flat().map(({ len }) => len));
  return (
    `${count(held.sv.values())} of ${count(wanted.sv.values())} operations, ` +
    `${deleted(held)} of ${deleted(wanted)} deletions`
  );
}
