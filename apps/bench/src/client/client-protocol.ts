import {
  decodeClientFrame,
  encodeAwarenessFrame,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

/** What a server has sent. */
export type ServerFrame =
  | { readonly type: "update"; readonly update: Uint8Array }
  /** The answer to the client's SyncStep1: `update` is what the server holds. */
  | { readonly type: "synced"; readonly update: Uint8Array }
  | { readonly type: "asks" }
  | { readonly type: "other" };

export type ProtocolName = "y-websocket" | "hocuspocus";

/** How a client speaks with a contender's servers. */
export interface ClientProtocol {
  /** The WebSocket's address for a document. */
  url(base: string, document: string): string;
  /** What a client that holds nothing says first. */
  hello(document: string): Uint8Array[];
  update(document: string, update: Uint8Array): Uint8Array;
  /** The answer to `asks` of a client that holds nothing. */
  nothing(document: string): Uint8Array;
  /** Who the client is, as an encoded awareness update. */
  awareness(document: string, update: Uint8Array): Uint8Array;
  read(frame: Uint8Array): ServerFrame;
}

const EMPTY_STATE_VECTOR = Uint8Array.of(0);
const EMPTY_UPDATE = Uint8Array.of(0, 0);

/** The protocol of y-websocket: a socket per document. */
const yWebsocketProtocol: ClientProtocol = {
  url: (base, document) => `${base}/${document}`,
  hello: () => [encodeSyncStep1(EMPTY_STATE_VECTOR)],
  update: (_document, update) => encodeUpdateFrame(update),
  nothing: () => encodeSyncStep2(EMPTY_UPDATE),
  awareness: (_document, update) => encodeAwarenessFrame(update),
  read(frame) {
    const read = decodeClientFrame(frame);
    switch (read.type) {
      case "update":
        return read;
      case "sync-step-1":
        return { type: "asks" };
      case "sync-step-2":
        return { type: "synced", update: read.update };
      default:
        return { type: "other" };
    }
  },
};

/** Hocuspocus's: the same frames, the document's name before each, and a token first. */
const hocuspocusProtocol: ClientProtocol = {
  url: (base) => base,
  hello: (document) => [
    named(document, TOKEN),
    ...yWebsocketProtocol.hello(document).map((frame) => named(document, frame)),
  ],
  update: (document, update) => named(document, yWebsocketProtocol.update(document, update)),
  nothing: (document) => named(document, yWebsocketProtocol.nothing(document)),
  awareness: (document, update) => named(document, yWebsocketProtocol.awareness(document, update)),
  read(frame) {
    const decoder = decoding.createDecoder(frame);
    decoding.readVarString(decoder);
    return yWebsocketProtocol.read(frame.subarray(decoder.pos));
  },
};

/** The frame that authenticates: type 2, kind 0, and a token of one letter, as nobody asks for more here. */
const TOKEN = Uint8Array.of(2, 0, 1, 0x78);

function named(document: string, frame: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarString(encoder, document);
  encoding.writeUint8Array(encoder, frame);
  return encoding.toUint8Array(encoder);
}

export const protocols: Readonly<Record<ProtocolName, ClientProtocol>> = {
  "y-websocket": yWebsocketProtocol,
  hocuspocus: hocuspocusProtocol,
};
