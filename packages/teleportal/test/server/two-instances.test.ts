import { describe, expect, it } from "vitest";
import { silentLogger } from "@teleportal/sync-core";
import { createMemoryBus, createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import { listen, Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { connectProvider } from "./connect-provider.ts";

async function startInstance(bus = createMemoryBus()) {
  const factory = await createMemoryServerSyncTransportFactory({ bus }, undefined, silentLogger);
  const storage = createMemoryDocumentStorage();
  const server = new Server({
    getStorage: () => storage,
    checkPermission: () => true,
    syncTransportFactory: factory,
    logger: silentLogger,
  });
  const listener = await listen(server, { port: 0 });
  return {
    url: listener.url,
    server,
    async close() {
      await listener.close();
      await server.close();
      await factory.close();
    },
  };
}

describe("two instances", () => {
  it("hold the same document", async () => {
    const bus = createMemoryBus();
    const a = await startInstance(bus);
    const b = await startInstance(bus);
    const alice = connectProvider(a.url, "room1/doc456");
    const bob = connectProvider(b.url, "room1/doc456");
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "hello");
    await bob.until((text) => text === "hello");
    bob.text.insert(5, " world");
    await alice.until((text) => text === "hello world");
    const carol = connectProvider(b.url, "room1/doc456");
    await carol.synced;
    expect(carol.text.toString()).toBe("hello world");
    for (const client of [alice, bob, carol]) client.destroy();
    await Promise.all([a.close(), b.close()]);
  });
});
