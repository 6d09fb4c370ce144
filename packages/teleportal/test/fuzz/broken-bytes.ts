import type { Random } from "../simulation/random.ts";

type Corpus = readonly [Uint8Array, ...Uint8Array[]];

/** Numbers at which codecs break: around what a variable-length integer, a length or a safe integer can hold. */
const EDGES: readonly [Uint8Array, ...Uint8Array[]] = [
  Uint8Array.of(0),
  Uint8Array.of(127),
  Uint8Array.of(128, 1),
  Uint8Array.of(255, 255, 3),
  Uint8Array.of(255, 255, 255, 255, 15),
  Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 15),
  Uint8Array.of(128, 128, 128, 128, 128, 128, 128, 16),
  Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
  Uint8Array.of(128, 128, 128, 128, 128, 128, 128, 128, 128, 128),
];

/** One of `corpus`, which holds what is right, with something wrong; sometimes nothing but noise. */
export function brokenBytes(random: Random, corpus: Corpus): Uint8Array {
  if (random.chance(0.05)) return noise(random, random.integer(0, 64));
  let bytes = new Uint8Array(random.pick(corpus));
  for (let count = random.integer(1, 3); count > 0; count--) bytes = changed(random, bytes, corpus);
  return bytes;
}

function changed(random: Random, bytes: Uint8Array, corpus: Corpus): Uint8Array<ArrayBuffer> {
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  switch (random.integer(0, 6)) {
    case 0: {
      const flipped = new Uint8Array(bytes);
      if (flipped.length > 0) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.integer(0, 7));
      return flipped;
    }
    case 1: {
      const replaced = new Uint8Array(bytes);
      if (replaced.length > 0) replaced[at] = random.integer(0, 255);
      return replaced;
    }
    case 2:
      return new Uint8Array(bytes.subarray(0, at));
    case 3: {
      // In the place of some bytes, as if a length had been one of these.
      const edge = random.pick(EDGES);
      return joined(
        bytes.subarray(0, at),
        edge,
        bytes.subarray(at + random.integer(0, edge.length)),
      );
    }
    case 4: {
      const other = random.pick(corpus);
      return joined(bytes.subarray(0, at), other.subarray(random.integer(0, other.length)));
    }
    case 5:
      return joined(bytes, noise(random, random.integer(1, 16)));
    default: {
      const from = random.integer(0, at);
      return joined(bytes.subarray(0, at), bytes.subarray(from));
    }
  }
}

function noise(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.integer(0, 255));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
