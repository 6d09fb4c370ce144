import { Buffer } from "node:buffer";

/** The same bytes as what ioredis takes, without a copy. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
