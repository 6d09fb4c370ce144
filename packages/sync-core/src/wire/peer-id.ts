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

/** Every message names its sender, and there are few of them: what was made for one is kept, up to so many. */
const KEPT = 1000;
const idOfBytes = new Map<number, { readonly low: number; readonly id: string }>();
const bytesOfId = new Map<string, Uint8Array>();

export function decodePeerId(bytes: Uint8Array): string {
  const high = word(bytes, 0);
  const low = word(bytes, 4);
  const kept = idOfBytes.get(high);
  if (kept?.low === low) return kept.id;
  let id = "";
  for (const byte of bytes) id += HEX[byte];
  if (idOfBytes.size >= KEPT) idOfBytes.clear();
  idOfBytes.set(high, { low, id });
  return id;
}

/** Not to be changed: others are given the same bytes. */
export function encodePeerId(id: string): Uint8Array {
  let bytes = bytesOfId.get(id);
  if (bytes !== undefined) return bytes;
  bytes = new Uint8Array(PEER_ID_BYTES);
  for (let i = 0; i < PEER_ID_BYTES; i++) {
    bytes[i] = Number.parseInt(id.slice(i * 2, i * 2 + 2), 16);
  }
  if (bytesOfId.size >= KEPT) bytesOfId.clear();
  bytesOfId.set(id, bytes);
  return bytes;
}

/** Four bytes as a number. */
function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}
