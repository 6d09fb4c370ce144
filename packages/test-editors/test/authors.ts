import type { Chapter, WrittenDocument } from "@teleportal/test-editors/write-together";
import * as encoding from "lib0/encoding";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { writeUpdate } from "y-protocols/sync";
import * as Y from "yjs";

/** The authors of a document, connected to a server: they send it what they wrote, in the order in which they did. */
export interface Authors {
  /** Sends these chapters; resolves when the server has taken all of them. */
  write(chapters: readonly Chapter[]): Promise<void>;
  /** Closes their connections; resolves when they are closed. */
  leave(): Promise<void>;
}

/** The types of messages in the protocol of y-websocket. */
const SYNC = 0;
const SYNC_STEP_2 = 1;

interface Link {
  send(write: (encoder: encoding.Encoder) => void): void;
  /** Resolves when the server has handled all that was sent. */
  fence(): Promise<void>;
  close(): Promise<void>;
}

/** Connects as many as wrote the document. Their editors are gone: they send the very updates that these made. */
export async function connectAuthors(
  url: string,
  documentId: string,
  { chapters, state }: WrittenDocument,
): Promise<Authors> {
  const count = Math.max(...chapters.flat().map((exchange) => exchange.length));
  // With it nothing but deletions is left to be answered, and the answer is short.
  const stateVector = Y.encodeStateVectorFromUpdate(state);
  const links = await Promise.all(
    Array.from({ length: count }, () => connect(`${url}/${documentId}`, stateVector)),
  );
  return {
    async write(chapters) {
      for (const exchange of chapters.flat()) {
        for (const [author, sent] of exchange.entries()) {
          const link = links[author];
          for (const update of sent) link?.send((encoder) => writeUpdate(encoder, update));
        }
        await Promise.all(links.map((link) => link.fence()));
      }
    },
    async leave() {
      await Promise.all(links.map((link) => link.close()));
    },
  };
}

async function connect(url: string, stateVector: Uint8Array): Promise<Link> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const waiting: (() => void)[] = [];
  socket.on("message", (data: ArrayBuffer) => {
    const [type, step] = new Uint8Array(data);
    if (type === SYNC && step === SYNC_STEP_2) waiting.shift()?.();
  });
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
  });
  await new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
  });

  function send(write: (encoder: encoding.Encoder) => void): void {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, SYNC);
    write(encoder);
    socket.send(encoding.toUint8Array(encoder));
  }

  function close(): Promise<void> {
    socket.close();
    return closed;
  }

  onTestFinished(close);
  return {
    send,
    fence() {
      // `writeSyncStep1` reads a document's state vector; here there is none.
      send((encoder) => {
        encoding.writeVarUint(encoder, 0);
        encoding.writeVarUint8Array(encoder, stateVector);
      });
      return new Promise((resolve) => waiting.push(resolve));
    },
    close,
  };
}
