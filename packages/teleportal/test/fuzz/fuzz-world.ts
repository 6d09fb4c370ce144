import { encodeUpdateFrame, silentLogger } from "@teleportal/sync-core";
import type { Logger } from "@teleportal/sync-core";
import { createMemoryBus, createMemoryServerSyncTransportFactory } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";
import { Server } from "teleportal";
import type { DocumentStorage } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import * as Y from "yjs";
import type { Random } from "../simulation/random.ts";
import { clientOf } from "./client-of.ts";
import { must } from "./fuzz-error.ts";

/** What a server may say aloud while its storage refuses what it is given; anything else is a mistake of its own. */
const EXPECTED = /^\[teleportal\] (storing attacked failed|the storage of attacked refuses)/;

/** Two instances, and a document that nobody attacks, with somebody typing on one and reading on the other. */
export interface FuzzWorld {
  readonly servers: readonly [Server, Server];
  readonly storages: readonly [DocumentStorage, DocumentStorage];
  /** From now on the storages take whatever they are given. */
  endRefusals(): void;
  readonly bus: MemoryBus;
  /** All that was published, by channel. */
  readonly published: ReadonlyMap<string, readonly Uint8Array[]>;
  /** @throws FuzzError if a keystroke in the other document does not arrive, once, as it was sent, and nothing with it. */
  check(): Promise<void>;
  /** @throws FuzzError if something is left open. */
  close(): Promise<void>;
}

export async function openFuzzWorld(random: Random, secret?: string): Promise<FuzzWorld> {
  const inner = createMemoryBus();
  const published = new Map<string, Uint8Array[]>();
  const bus: MemoryBus = {
    subscribe: inner.subscribe,
    publish(channel, bytes) {
      const before = published.get(channel);
      if (before === undefined) published.set(channel, [new Uint8Array(bytes)]);
      else if (before.length < 50) before.push(new Uint8Array(bytes));
      return inner.publish(channel, bytes);
    },
  };
  const mistakes: string[] = [];
  let refusing = true;
  const logger: Logger = {
    ...silentLogger,
    error(message: string) {
      if (!EXPECTED.test(message)) mistakes.push(message);
    },
  };

  async function start() {
    const factory = await createMemoryServerSyncTransportFactory(
      { bus, ...(secret !== undefined && { secret }) },
      undefined,
      logger,
    );
    const memory = createMemoryDocumentStorage();
    const storage: DocumentStorage = {
      ...memory,
      append(documentId, updates) {
        return refusing && documentId === "attacked" && random.chance(0.3)
          ? Promise.reject(new Error("refused"))
          : memory.append(documentId, updates);
      },
    };
    const server = new Server<unknown>({
      getStorage: () => storage,
      checkPermission: () => true,
      syncTransportFactory: factory,
      joinTimeout: 50,
      logger,
      limits: { messagesPerSecond: Number.POSITIVE_INFINITY },
    });
    return { factory, server, storage };
  }

  const [a, b] = [await start(), await start()];
  const typist = clientOf(a.server, "witness");
  const reader = clientOf(b.server, "witness");
  // What is typed before that may come to the reader with what its instance asks the other one for.
  await until(() => typist.synced && reader.synced, "the other document is not opened");
  const doc = new Y.Doc();
  let typed: Uint8Array | undefined;
  doc.on("update", (update: Uint8Array) => (typed = encodeUpdateFrame(new Uint8Array(update))));

  async function check(): Promise<void> {
    must(mistakes.length === 0, `a server says: ${mistakes.join("; ")}`);
    must(!typist.closed && !reader.closed, "a client of another document was closed");
    const before = reader.received.length;
    doc.getText("text").insert(0, "x");
    if (typed === undefined) throw new Error("Yjs has made no update");
    typist.send(typed);
    await until(() => reader.received.length > before, "a keystroke in another document is lost");
    const came = reader.received.slice(before);
    must(
      came.length === 1 && came.every((frame) => same(frame, typed)),
      "something else came with it",
    );
  }

  return {
    servers: [a.server, b.server],
    storages: [a.storage, b.storage],
    endRefusals: () => void (refusing = false),
    bus,
    published,
    check,
    async close() {
      for (const client of [typist, reader]) client.leave();
      for (const { server } of [a, b]) {
        await until(
          () => server.size.connections === 0 && server.size.documents === 0,
          `${server.size.connections} connections and ${server.size.documents} documents are left open`,
        );
      }
      for (const { server, factory } of [a, b]) {
        await server.close();
        await factory.close();
      }
      must(mistakes.length === 0, `a server says: ${mistakes.join("; ")}`);
    },
  };
}

/** How long anything may take that has to happen, in milliseconds. */
const PATIENCE = 20_000;

/** @throws FuzzError with `otherwise` if it does not come to hold */
export async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!holds()) {
    must(performance.now() < deadline, otherwise);
    await turn();
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]);
}
