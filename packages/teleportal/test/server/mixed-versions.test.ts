import { describe, expect, it } from "vitest";
import { silentLogger } from "@teleportal/sync-core";
import { createMemoryBus, createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";
import { listen, Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { connectProvider } from "./connect-provider.ts";

const HEADER_BYTES = 12;
const FLAG_EXTENSION = 0b10;

/**
 * An envelope as a later release may write it: with an extension in the header, and behind what this release knows a
 * message of a kind that it does not, with an extension of its own.
 */
function newer(envelope: Uint8Array): Uint8Array {
  let content = HEADER_BYTES;
  while ((envelope[content] ?? 0) >= 0x80) content += 1;
  content += 1;
  const extension = [3, 0xaa, 0xbb, 0xcc];
  const unknownKind = [0x2e, 1, 2, 0xdd, 0xee, 1, 2, 0x01, 0x02];
  const bytes = new Uint8Array([
    ...envelope.subarray(0, content),
    ...extension,
    ...envelope.subarray(content),
    ...unknownKind,
  ]);
  bytes[3] = (bytes[3] ?? 0) | FLAG_EXTENSION;
  return bytes;
}

function newerBus(bus: MemoryBus): MemoryBus {
  return {
    publish: (channel, bytes) => bus.publish(channel, newer(bytes)),
    subscribe: bus.subscribe,
  };
}

async function start(bus: MemoryBus) {
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
    factory,
    url: listener.url,
    async close() {
      await listener.close();
      await server.close();
      await factory.close();
    },
  };
}

describe("an instance of a later release and one of this", () => {
  it("stay in step in both directions", async () => {
    const bus = createMemoryBus();
    const today = await start(bus);
    const later = await start(newerBus(bus));
    const alice = connectProvider(today.url, "doc");
    await alice.synced;
    alice.text.insert(0, "before. ");
    // Joining asks and answers across the versions, typing sends updates.
    const bob = connectProvider(later.url, "doc");
    await bob.until((text) => text === "before. ");
    bob.text.insert(8, "from later. ");
    await alice.until((text) => text === "before. from later. ");
    alice.text.delete(0, 8);
    await bob.until((text) => text === "from later. ");
    expect(today.factory.metrics.unknownKind).toBeGreaterThan(0);
    expect(today.factory.metrics).toMatchObject({ malformed: 0, unknownVersion: 0 });
    expect(today.factory.peers).toBe(1);
    for (const client of [alice, bob]) client.destroy();
    await Promise.all([today.close(), later.close()]);
  });
});
