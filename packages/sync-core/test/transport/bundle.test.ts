import { describe, expect, it } from "vitest";
import { createSyncTransportFactory, decodeEnvelope, silentLogger } from "@teleportal/sync-core";
import type { PeerMessage } from "@teleportal/sync-core";
import { createScriptedBroker } from "./scripted-broker.ts";

const A = "aaaaaaaaaaaaaaaa";

function renewal(byte: number, size = 100): PeerMessage {
  const frames = [new Uint8Array(size).fill(byte)];
  return { kind: "renewal", sender: A, epoch: 1, seq: 0, frames };
}

async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function start(documents: readonly string[], maxPayload = 1024 * 1024) {
  const broker = createScriptedBroker();
  const open = async () => {
    const driver = broker.driver({ maxPayload });
    const factory = createSyncTransportFactory<unknown>(driver, {
      context: undefined,
      logger: silentLogger,
    });
    driver.say({ state: "up" });
    const received = new Map<string, number[]>();
    const connections = new Map(
      await Promise.all(
        documents.map(async (id) => {
          const heard: number[] = [];
          received.set(id, heard);
          const transport = await factory.createTransport(id);
          const connection = transport.takeOver({
            receive: (message) => {
              if ("frames" in message) heard.push(message.frames[0]?.[0] ?? -1);
            },
            ended() {},
          });
          return [id, connection] as const;
        }),
      ),
    );
    return { driver, factory, connections, received };
  };
  const [left, right] = [await open(), await open()];
  // How many bundles have gone out, and the largest in bytes.
  const bundles: number[] = [];
  left.driver.onHeartbeat = async (bytes) => {
    const decoded = decodeEnvelope(bytes);
    if (decoded.type !== "messages") return;
    if (decoded.messages.some(({ kind }) => kind === "bundle")) bundles.push(bytes.length);
  };
  return { broker, left, right, bundles };
}

describe("renewed presence", () => {
  it("of a thousand documents in one turn is one message, and reaches each document's peer", async () => {
    const documents = Array.from({ length: 1000 }, (_, i) => `room/${i} ü`);
    const { broker, left, right, bundles } = await start(documents);
    for (const [i, id] of documents.entries()) left.connections.get(id)?.send(renewal(i % 256, 30));
    await turns();
    expect(bundles).toHaveLength(1);
    expect(broker.published).toEqual([]);
    for (const [i, id] of documents.entries()) expect(right.received.get(id)).toEqual([i % 256]);
    for (const id of documents) expect(left.received.get(id)).toEqual([]);
  });

  it("keeps within what the broker takes", async () => {
    const documents = Array.from({ length: 50 }, (_, i) => `doc${i}`);
    const { left, right, bundles } = await start(documents, 1000);
    for (const id of documents) left.connections.get(id)?.send(renewal(7));
    await turns();
    expect(Math.max(...bundles)).toBeLessThanOrEqual(1000);
    for (const id of documents) expect(right.received.get(id)).toEqual([7]);
  });

  it("that is too large for company goes alone", async () => {
    const { broker, left, right, bundles } = await start(["doc"]);
    left.connections.get("doc")?.send(renewal(7, 100_000));
    await turns();
    expect(bundles).toEqual([]);
    expect(broker.published).toHaveLength(1);
    expect(right.received.get("doc")).toEqual([7]);
  });

  it("means nothing to an instance that does not have the document", async () => {
    const { left, right } = await start(["doc"]);
    await right.connections.get("doc")?.close();
    left.connections.get("doc")?.send(renewal(7));
    await turns();
    expect(right.received.get("doc")).toEqual([]);
    expect(right.factory.metrics.malformed).toBe(0);
  });
});
