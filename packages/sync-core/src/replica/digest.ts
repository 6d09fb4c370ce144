/** Sorted, disjoint, half-open ranges of operations per Yjs client id: `[start, end, start, end, …]`. */
export type ClientRanges = ReadonlyMap<number, readonly number[]>;

const DIGEST_BYTES = 8;

/**
 * A fingerprint of what a document holds: its structs and its deletions, whatever they were merged or split into.
 * Two independent 32-bit lanes of MurmurHash3's mixing (Austin Appleby, public domain); not a defence against an
 * attacker, who could publish updates as well. All instances MUST compute the same, so it is part of the protocol.
 */
export function digestOf(structs: ClientRanges, deletions: ClientRanges): Uint8Array {
  let a = 0x9747b28c;
  let b = 0x3c6ef372;

  function mix(word: number): void {
    a = round(a, word, 0xcc9e2d51, 0x1b873593);
    b = round(b, word, 0x239b961b, 0xab0e9789);
  }

  function mixNumber(value: number): void {
    mix(value | 0);
    // Yjs numbers go to 2^53: the bits above the 32nd count too.
    mix(Math.floor(value / 0x1_0000_0000) | 0);
  }

  for (const set of [structs, deletions]) {
    const clients = [...set.keys()].sort((x, y) => x - y);
    mixNumber(clients.length);
    for (const client of clients) {
      const ranges = set.get(client) ?? [];
      mixNumber(client);
      mixNumber(ranges.length);
      for (const bound of ranges) mixNumber(bound);
    }
  }

  const digest = new Uint8Array(DIGEST_BYTES);
  const view = new DataView(digest.buffer);
  view.setUint32(0, finish(a));
  view.setUint32(4, finish(b));
  return digest;
}

function round(hash: number, word: number, c1: number, c2: number): number {
  let k = Math.imul(word, c1);
  k = (k << 15) | (k >>> 17);
  k = Math.imul(k, c2);
  let h = hash ^ k;
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
