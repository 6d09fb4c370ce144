/**
 * The frames a client and a server exchange, as y-websocket and y-protocols define them
 * (github.com/yjs/y-protocols, PROTOCOL.md): a type byte, then a payload. Kept as they came wherever possible; this
 * file reads and writes only their first bytes and lengths.
 */
import { ByteReader, TruncatedError } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

const TYPE_SYNC = 0;
const TYPE_AWARENESS = 1;
const TYPE_AUTH = 2;
const TYPE_QUERY_AWARENESS = 3;

const SYNC_STEP_1 = 0;
const SYNC_STEP_2 = 1;
const SYNC_UPDATE = 2;

const AUTH_PERMISSION_DENIED = 0;

/** A client frame's meaning. `update` and `stateVector` are views into it. */
export type ClientFrame =
  | { readonly type: "sync-step-1"; readonly stateVector: Uint8Array }
  | { readonly type: "sync-step-2"; readonly update: Uint8Array }
  | { readonly type: "update"; readonly update: Uint8Array }
  | { readonly type: "awareness"; readonly update: Uint8Array }
  | { readonly type: "query-awareness" }
  | { readonly type: "auth" }
  | { readonly type: "unknown"; readonly code: number }
  | { readonly type: "malformed" };

/** Reads foreign bytes; never throws. */
export function decodeClientFrame(frame: Uint8Array): ClientFrame {
  try {
    const reader = new ByteReader(frame);
    const code = reader.varUint();
    switch (code) {
      case TYPE_SYNC:
        return readSync(reader);
      case TYPE_AWARENESS:
        return { type: "awareness", update: reader.varBytes() };
      case TYPE_AUTH:
        return { type: "auth" };
      case TYPE_QUERY_AWARENESS:
        return { type: "query-awareness" };
      default:
        return { type: "unknown", code };
    }
  } catch (error) {
    if (error instanceof TruncatedError) return { type: "malformed" };
    throw error;
  }
}

function readSync(reader: ByteReader): ClientFrame {
  const step = reader.varUint();
  switch (step) {
    case SYNC_STEP_1:
      return { type: "sync-step-1", stateVector: reader.varBytes() };
    case SYNC_STEP_2:
      return { type: "sync-step-2", update: reader.varBytes() };
    case SYNC_UPDATE:
      return { type: "update", update: reader.varBytes() };
    default:
      return { type: "malformed" };
  }
}

/** Whether the frame claims to be a SyncStep2: what its sender holds and the other side lacks. */
export function isSyncStep2(frame: Uint8Array): boolean {
  return frame[0] === TYPE_SYNC && frame[1] === SYNC_STEP_2;
}

function encode(
  codes: readonly number[],
  payload?: Uint8Array | readonly Uint8Array[],
): Uint8Array {
  const writer = new ByteWriter();
  for (const code of codes) writer.uint8(code);
  if (payload instanceof Uint8Array) writer.varBytes(payload);
  else if (payload !== undefined) return withParts(writer, payload);
  return writer.finish();
}

/** One buffer of just the size: what comes in parts may be the whole of a large document. */
function withParts(head: ByteWriter, parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  head.varUint(length);
  const bytes = head.finish();
  const frame = new Uint8Array(bytes.length + length);
  frame.set(bytes);
  let position = bytes.length;
  for (const part of parts) {
    frame.set(part, position);
    position += part.length;
  }
  return frame;
}

export function encodeSyncStep1(stateVector: Uint8Array): Uint8Array {
  return encode([TYPE_SYNC, SYNC_STEP_1], stateVector);
}

/** `update`: whole, or as parts that follow each other. */
export function encodeSyncStep2(update: Uint8Array | readonly Uint8Array[]): Uint8Array {
  return encode([TYPE_SYNC, SYNC_STEP_2], update);
}

/** `update`: as of {@link encodeSyncStep2}. */
export function encodeUpdateFrame(update: Uint8Array | readonly Uint8Array[]): Uint8Array {
  return encode([TYPE_SYNC, SYNC_UPDATE], update);
}

export function encodeAwarenessFrame(update: Uint8Array): Uint8Array {
  return encode([TYPE_AWARENESS], update);
}

/** y-protocols `auth.js`: the reason is shown to a person. */
export function encodePermissionDenied(reason: string): Uint8Array {
  return encode([TYPE_AUTH, AUTH_PERMISSION_DENIED], new TextEncoder().encode(reason));
}
