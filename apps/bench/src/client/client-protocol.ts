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

const SYNC = 0;
const AWARENESS = 1;
const AUTH = 2;
const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

const EMPTY_STATE_VECTOR = Uint8Array.of(0);
const EMPTY_UPDATE = Uint8Array.of(0, 0);

function encode(write: (encoder: encoding.Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder();
  write(encoder);
  return encoding.toUint8Array(encoder);
}

function syncFrame(step: number, payload: Uint8Array, document?: string): Uint8Array {
  return encode((encoder) => {
    if (document !== undefined) encoding.writeVarString(encoder, document);
    encoding.writeVarUint(encoder, SYNC);
    encoding.writeVarUint(encoder, step);
    encoding.writeVarUint8Array(encoder, payload);
  });
}

function awarenessFrame(update: Uint8Array, document?: string): Uint8Array {
  return encode((encoder) => {
    if (document !== undefined) encoding.writeVarString(encoder, document);
    encoding.writeVarUint(encoder, AWARENESS);
    encoding.writeVarUint8Array(encoder, update);
  });
}

function readSync(decoder: decoding.Decoder): ServerFrame {
  if (decoding.readVarUint(decoder) !== SYNC) return { type: "other" };
  switch (decoding.readVarUint(decoder)) {
    case STEP_1:
      return { type: "asks" };
    case STEP_2:
      return { type: "synced", update: decoding.readVarUint8Array(decoder) };
    case UPDATE:
      return { type: "update", update: decoding.readVarUint8Array(decoder) };
    default:
      return { type: "other" };
  }
}

/** The protocol of y-websocket: a socket per document. */
const yWebsocketProtocol: ClientProtocol = {
  url: (base, document) => `${base}/${document}`,
  hello: () => [syncFrame(STEP_1, EMPTY_STATE_VECTOR)],
  update: (_document, update) => syncFrame(UPDATE, update),
  nothing: () => syncFrame(STEP_2, EMPTY_UPDATE),
  awareness: (_document, update) => awarenessFrame(update),
  read: (frame) => readSync(decoding.createDecoder(frame)),
};

/** Hocuspocus's: every frame names its document, and a token comes first. */
const hocuspocusProtocol: ClientProtocol = {
  url: (base) => base,
  hello: (document) => [
    encode((encoder) => {
      encoding.writeVarString(encoder, document);
      encoding.writeVarUint(encoder, AUTH);
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarString(encoder, "token");
    }),
    syncFrame(STEP_1, EMPTY_STATE_VECTOR, document),
  ],
  update: (document, update) => syncFrame(UPDATE, update, document),
  nothing: (document) => syncFrame(STEP_2, EMPTY_UPDATE, document),
  awareness: (document, update) => awarenessFrame(update, document),
  read(frame) {
    const decoder = decoding.createDecoder(frame);
    decoding.readVarString(decoder);
    return readSync(decoder);
  },
};

export const protocols: Readonly<Record<ProtocolName, ClientProtocol>> = {
  "y-websocket": yWebsocketProtocol,
  hocuspocus: hocuspocusProtocol,
};
