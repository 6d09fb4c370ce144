import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "@teleportal/sync-core";
import { createMemoryBus, createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";
import { connectEditor } from "./connect-editor.ts";
import { startInstance } from "./start-instance.ts";

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
  onTestFinished(() => factory.close());
  const { url } = await startInstance({ syncTransportFactory: factory });
  return { factory, url };
}

describe("an instance of a later release and one of this", () => {
  it("stay in step in both directions", async () => {
    const bus = createMemoryBus();
    const today = await start(bus);
    const later = await start(newerBus(bus));
    const alice = connectEditor(today.url, "doc");
    await alice.synced;
    alice.text.insert(0, "before. ");
    // Joining asks and answers across the versions, typing sends updates.
    const bob = connectEditor(later.url, "doc");
    await bob.until((text) => text === "before. ");
    bob.text.insert(8, "from later. ");
    await alice.until((text) => text === "before. from later. ");
    alice.text.delete(0, 8);
    await bob.until((text) => text === "from later. ");
    expect(today.factory.metrics.unknownKind).toBeGreaterThan(0);
    expect(today.factory.metrics).toMatchObject({ malformed: 0, unknownVersion: 0 });
    expect(today.factory.peers).toBe(1);
  });
});
