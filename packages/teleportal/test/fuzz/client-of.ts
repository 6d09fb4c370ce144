import { decodeClientFrame, encodeSyncStep1 } from "@teleportal/sync-core";
import type { ClientConnection, ClientSocket, Server } from "teleportal";
import * as Y from "yjs";
import { History } from "../../src/document/history.ts";
import { FuzzError } from "./fuzz-error.ts";

/** The state vector of a client that holds nothing. */
const NOTHING = new Uint8Array([0]);

/** A client without a network, whose Yjs takes all that it is sent. */
export interface DirectClient {
  /** Frames that it was sent, of kinds that mean something to it. */
  readonly received: readonly Uint8Array[];
  /** What it was sent of the document. */
  readonly held: History;
  /** Whether it has been sent the document. */
  readonly synced: boolean;
  /** Whether the server has closed it. */
  readonly closed: boolean;
  /** Sends what the server handles before this returns, if the document is open. */
  send(frame: Uint8Array): void;
  leave(): void;
}

/** Joins a document of `server`, and asks for it. */
export function clientOf(server: Server, documentId: string): DirectClient {
  const received: Uint8Array[] = [];
  const held = new History();
  const doc = new Y.Doc();
  let synced = false;
  let closed = false;

  /** @throws FuzzError if Yjs refuses what the server has let pass */
  function take(update: Uint8Array): void {
    try {
      Y.applyUpdate(doc, update.slice());
      held.take(update);
    } catch (cause) {
      const hex = Buffer.from(update).toString("hex");
      throw new FuzzError(`Yjs cannot apply what a client was sent (${String(cause)}): ${hex}`);
    }
  }

  const socket: ClientSocket = {
    send(frame) {
      const read = decodeClientFrame(frame);
      if (read.type === "update" || read.type === "sync-step-2") take(read.update);
      if (read.type === "sync-step-2") synced = true;
      if (read.type !== "sync-step-1" && read.type !== "sync-step-2") received.push(frame);
    },
    close() {
      closed = true;
      connection?.closed();
    },
    bufferedAmount: 0,
    pause() {},
    resume() {},
  };
  let connection: ClientConnection | undefined;
  const connected = server.connect(socket, { documentId, context: undefined });
  connection = connected;
  connected.receive(encodeSyncStep1(NOTHING));
  return {
    received,
    held,
    get synced() {
      return synced;
    },
    get closed() {
      return closed;
    },
    send: (frame: Uint8Array) => connected.receive(frame),
    leave: () => connected.closed(),
  };
}
