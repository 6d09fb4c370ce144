import type * as Yjs from "yjs";
import type { PeerMessage } from "../contract/message.ts";
import type { ServerSyncTransportFactory } from "../contract/transport.ts";
import { digestOf } from "../replica/digest.ts";
import type { ReplicaDocument } from "../replica/options.ts";
import { createReplica } from "../replica/replica.ts";
import type { Replica } from "../replica/replica.ts";
import { SyncError } from "../sync-error.ts";
import { createTurnBatch } from "../transport/turn.ts";
import { decodeClientFrame, encodeUpdateFrame } from "../wire/client-frame.ts";
import { createPeerId } from "../wire/peer-id.ts";

/** A document on one instance: a Y.Doc that the real engine keeps in step over the factory that is checked. */
export interface ConvergenceNode {
  readonly text: Yjs.Text;
  /** What it holds; equal for two nodes exactly when all insertions and deletions are. */
  fingerprint(): string;
  close(): Promise<void>;
}

/** Origin of what peers sent. */
const PEER = Symbol("peer");

/** @throws SyncError if yjs is not installed. */
export async function importYjs(): Promise<typeof Yjs> {
  try {
    return await import("yjs");
  } catch (cause) {
    throw new SyncError(
      "sync-core",
      "the convergence checks need yjs, which is not installed",
      "npm install --save-dev yjs",
      cause,
    );
  }
}

/** Resolves when the node has asked its peers for what they hold, as a server does before it answers clients. */
export async function openConvergenceNode(
  Y: typeof Yjs,
  factory: ServerSyncTransportFactory,
  documentId: string,
  onChange: () => void,
): Promise<ConvergenceNode> {
  const { readable, writable } = await factory.createTransport(documentId);
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const doc = new Y.Doc();
  const flushing = createTurnBatch<Replica>((replica) => replica.flush());
  let wake: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  let hasJoined: () => void;
  const joined = new Promise<void>((resolve) => {
    hasJoined = resolve;
  });

  const document: ReplicaDocument = {
    stateVector: () => Y.encodeStateVector(doc),
    difference: (stateVector) => ({
      update: doc.store.clients.size === 0 ? undefined : Y.encodeStateAsUpdate(doc, stateVector),
      whole: true,
    }),
    digest() {
      const structs = new Map<number, number[]>();
      for (const [client, clock] of Y.decodeStateVector(Y.encodeStateVector(doc))) {
        structs.set(client, [0, clock]);
      }
      const deletions = new Map<number, number[]>();
      for (const [client, items] of Y.createDeleteSetFromStructStore(doc.store).clients) {
        const ranges = items.flatMap(({ clock, len }) => [clock, clock + len]);
        deletions.set(client, ranges);
      }
      return digestOf(structs, deletions);
    },
    complete: () => doc.store.pendingStructs === null && doc.store.pendingDs === null,
    // Its peers are such nodes too, and answer in one reply.
    withStaged: () => ({ stateVector: document.stateVector(), digest: document.digest() }),
  };

  function apply(frame: Uint8Array): void {
    const read = decodeClientFrame(frame);
    if (read.type !== "update" && read.type !== "sync-step-2") return;
    try {
      Y.applyUpdate(doc, read.update, PEER);
    } catch {
      // What a transport has broken is refused, as a host must, and the check sees that it is missing.
    }
  }

  const replica = createReplica(
    document,
    {
      now: () => performance.now(),
      random: Math.random,
      // A transport that refuses has ended, and the checks see that nothing arrives.
      send: (message) => void writer.write(message).catch(() => {}),
      apply(frames: readonly Uint8Array[], _from: PeerMessage) {
        for (const frame of frames) apply(frame);
        onChange();
      },
      stage: () => false,
      storing: () => "apart",
      confirmed: () => {},
      applyAwareness: () => {},
      gone: () => {},
      awarenessSnapshot: () => undefined,
      missed: () => {},
      malformed: () => {},
      joined: () => hasJoined(),
      wakeAt(time) {
        clearTimeout(wake);
        if (time === undefined || closed) return;
        wake = setTimeout(() => replica.tick(), Math.max(0, time - performance.now()));
      },
    },
    { id: createPeerId(), epoch: Date.now() },
  );

  doc.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin === PEER) return;
    replica.localUpdate(encodeUpdateFrame(update));
    flushing.add(replica);
    onChange();
  });

  async function readAll(): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (!closed) replica.receive(value);
    }
  }
  // A transport that fails is seen by the check: nothing arrives.
  readAll().catch(() => {});

  replica.start();
  await joined;

  return {
    text: doc.getText("text"),
    fingerprint: () =>
      `${document.digest().join()} ${document.complete()} ${doc.getText("text").toJSON()}`,
    async close() {
      replica.leave();
      closed = true;
      clearTimeout(wake);
      await writer.close();
      doc.destroy();
    },
  };
}
