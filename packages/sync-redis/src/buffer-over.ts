import { Buffer } from "node:buffer";

/** So much is copied into Node's pool, in bytes: V8 keeps little arrays on its heap, and to lay a Buffer over one it has to move it. */
const LITTLE = 64;

/** The same bytes as what ioredis takes. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return bytes.length <= LITTLE
    ? Buffer.from(bytes)
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
