import { once } from "node:events";
import * as encoding from "lib0/encoding";
import { WebSocket } from "ws";
import type { ClientProtocol } from "./client-protocol.ts";

/** How often a y-websocket client says again that it is there, in milliseconds (y-protocols/awareness). */
const RENEWAL = 15_000;

export interface IdleClient {
  readonly connected: boolean;
}

function presence(client: number, clock: number): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, 1);
  encoding.writeVarUint(encoder, client);
  encoding.writeVarUint(encoder, clock);
  encoding.writeVarString(encoder, '{"user":{"name":"Ada","color":"#30bced"}}');
  return encoding.toUint8Array(encoder);
}

/** Connects, syncs, and from then on answers pings (ws does) and renews its presence if it has one. */
export async function connectIdleClient(
  url: string,
  protocol: ClientProtocol,
  document: string,
  awareness: boolean,
): Promise<IdleClient> {
  const socket = new WebSocket(protocol.url(url, document), { perMessageDeflate: false });
  await once(socket, "open");
  await new Promise<void>((resolve, reject) => {
    socket.on("message", (data: Buffer) => {
      const frame = protocol.read(data);
      if (frame.type === "asks") socket.send(protocol.nothing(document));
      else if (frame.type === "synced") resolve();
    });
    socket.on("close", (code) => {
      reject(new Error(`[bench] ${url} has closed an idle client's connection (${code})`));
    });
    for (const frame of protocol.hello(document)) socket.send(frame);
  });
  if (awareness) {
    const client = Math.floor(Math.random() * 2 ** 32);
    let clock = 0;
    const renew = (): void => {
      clock += 1;
      socket.send(protocol.awareness(document, presence(client, clock)));
    };
    renew();
    const timer = setInterval(renew, RENEWAL);
    socket.on("close", () => clearInterval(timer));
  }
  return {
    get connected() {
      return socket.readyState === socket.OPEN;
    },
  };
}
