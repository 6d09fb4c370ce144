/** RFC 6455, section 5.2: the last and only piece of a binary message, not masked, as a server sends it. */
const FINAL_BINARY = 0x82;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** So much is put behind its header in one piece, in bytes: copying more takes longer than a second piece. */
const MOST_COPIED = 64 * 1024;

/** A payload and its frame. What is sent to many clients is sent to one after the other, and is framed once. */
let last: { readonly payload: Uint8Array; readonly frame: readonly Uint8Array[] } | undefined;

/**
 * The WebSocket frame of a binary message, in one piece or two. `payload` MUST NOT be changed afterwards: what is large is not
 * copied, so that a crowd that downloads a document shares its bytes.
 */
export function binaryFrame(payload: Uint8Array): readonly Uint8Array[] {
  if (last?.payload === payload) return last.frame;
  const { length } = payload;
  if (length > MOST_COPIED) return [writeHeader(Buffer.allocUnsafe(10), length), payload];
  const header = length < LENGTH_16 ? 2 : length < 0x1_0000 ? 4 : 10;
  const piece = writeHeader(Buffer.allocUnsafe(header + length), length);
  piece.set(payload, header);
  last = { payload, frame: [piece] };
  return last.frame;
}

function writeHeader(frame: Buffer, length: number): Buffer {
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
  return frame;
}
