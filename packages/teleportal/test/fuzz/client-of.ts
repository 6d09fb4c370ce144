import { decodeClientFrame } from "@teleportal/sync-core";
import type { ClientConnection, ClientSocket, Server } from "teleportal";

/** A client without a network. */
export interface DirectClient {
  /** Frames that it was sent, of kinds that mean something to it. */
  readonly received: readonly Uint8Array[];
  /** Whether the server has closed it. */
  readonly closed: boolean;
  /** Sends what the server handles before this returns, if the document is open. */
  send(frame: Uint8Array): void;
  leave(): void;
}

/** Joins a document of `server`. */
export function clientOf(server: Server, documentId: string): DirectClient {
  const received: Uint8Array[] = [];
  let closed = false;
  const socket: ClientSocket = {
    send(frame) {
      const { type } = decodeClientFrame(frame);
      if (type !== "sync-step-1" && type !== "sync-step-2") received.push(frame);
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
  return {
    received,
    get closed() {
      return closed;
    },
    send: (frame: Uint8Array) => connected.receive(frame),
    leave: () => connected.closed(),
  };
}
