/** RFC 6455, section 5.2: the last and only piece of a binary message, not masked, as a server sends it. */
const FINAL_BINARY = 0x82;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** A payload and its frame. What is sent to many clients is sent to one after the other, and is framed once. */
let last: { readonly payload: Uint8Array; readonly frame: Buffer } | undefined;

/** The WebSocket frame of a binary message. `payload` MUST NOT be changed afterwards. */
export function binaryFrame(payload: Uint8Array): Buffer {
  if (last?.payload === payload) return last.frame;
  const { length } = payload;
  const header = length < LENGTH_16 ? 2 : length < 0x1_0000 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = FINAL_BINARY;
  if (length < LENGTH_16) {
    frame[1] = length;
  } else if (length < 0x1_0000) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(payload, header);
  // Something large is not kept for the sake of what may never be sent again.
  last = length <= MAX_KEPT ? { payload, frame } : undefined;
  return frame;
}

const MAX_KEPT = 64 * 1024;
