import { onTestFinished } from "vitest";
import * as Y from "yjs";
import { connectProvider } from "./connect-provider.ts";
import type { EditorClient } from "./connect-provider.ts";

/** A y-websocket client that is gone when the test is over. */
export function connectEditor(url: string, documentId: string, doc = new Y.Doc()): EditorClient {
  const client = connectProvider(url, documentId, doc);
  onTestFinished(() => client.destroy());
  return client;
}

/** Resolves once the client shows the presence of exactly these users, its own among them. */
export function untilPresent(client: EditorClient, users: readonly string[]): Promise<void> {
  const { awareness } = client.provider;
  const expected = [...users].sort().join();
  return new Promise((resolve) => {
    function look(): void {
      const present = [...awareness.getStates().values()].map(({ user }) => String(user));
      if (present.sort().join() !== expected) return;
      awareness.off("update", look);
      resolve();
    }
    awareness.on("update", look);
    look();
  });
}

/** Resolves once the provider has synced since the call: after a reconnect. */
export function untilSyncedAgain(client: EditorClient): Promise<void> {
  return new Promise((resolve) => {
    function onSync(synced: boolean): void {
      if (!synced) return;
      client.provider.off("sync", onSync);
      resolve();
    }
    client.provider.on("sync", onSync);
  });
}
