/** Bytes of a peer id on the wire. */
export const PEER_ID_BYTES = 8;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const PEER_ID = /^[0-9a-f]{16}$/;

/** A random peer id: 64 bits, so two instances of a deployment do not meet by chance. */
export function createPeerId(): string {
  return decodePeerId(crypto.getRandomValues(new Uint8Array(PEER_ID_BYTES)));
}

export function isPeerId(value: unknown): value is string {
  return typeof value === "string" && PEER_ID.test(value);
}

export function decodePeerId(bytes: Uint8Array): string {
  let id = "";
  for (const byte of bytes) id += HEX[byte];
  return id;
}

export function encodePeerId(id: string): Uint8Array {
  const bytes = new Uint8Array(PEER_ID_BYTES);
  for (let i = 0; i < PEER_ID_BYTES; i++) {
    bytes[i] = Number.parseInt(id.slice(i * 2, i * 2 + 2), 16);
  }
  return bytes;
}
