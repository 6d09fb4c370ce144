import { contentOf, encodePart } from "./envelope.ts";
import type { EnvelopeHeader, EnvelopePart } from "./envelope.ts";

/** The most bytes a part's own header can take. */
const PART_OVERHEAD = 44;

/** The smallest payload limit a driver can declare: below it parts would carry almost nothing. */
export const MIN_MAX_PAYLOAD = 256;

/** The envelope itself if it fits into `maxPayload` bytes, else its content in as many parts as it takes, in order. */
export function splitEnvelope(
  header: EnvelopeHeader,
  envelope: Uint8Array,
  maxPayload: number,
  nextPartId: () => number,
): Uint8Array[] {
  if (envelope.length <= maxPayload) return [envelope];
  const content = contentOf(header, envelope);
  const size = maxPayload - PART_OVERHEAD;
  const count = Math.ceil(content.length / size);
  const id = nextPartId();
  return Array.from({ length: count }, (_, index) =>
    encodePart({
      ...header,
      id,
      index,
      count,
      bytes: content.subarray(index * size, (index + 1) * size),
    }),
  );
}

/** What a held part costs beside its bytes, so that many tiny ones count as the memory they take. */
const HELD_PART_OVERHEAD = 256;

interface Assembly {
  readonly count: number;
  readonly parts: Uint8Array[];
  received: number;
  bytes: number;
  held: number;
}

/** What became of a part: the whole content, still `waiting` for more, or `dropped` with what it cost. */
export type JoinedPart =
  | { readonly type: "content"; readonly content: Uint8Array }
  | { readonly type: "waiting" }
  | { readonly type: "dropped"; readonly reason: "malformed" | "too-large" };

/**
 * Puts parts together again, in whatever order they come. Holds at most `maxBytes`: the oldest unfinished
 * assembly makes room, as a lost part means that it will never be finished.
 */
export class PartJoiner {
  readonly #maxBytes: number;
  readonly #assemblies = new Map<string, Assembly>();
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(part: EnvelopePart): JoinedPart {
    if (part.bytes.length === 0) return { type: "dropped", reason: "malformed" };
    if (part.count * part.bytes.length > this.#maxBytes * 2) {
      return { type: "dropped", reason: "too-large" };
    }
    const key = `${part.sender}/${part.epoch}/${part.id}`;
    let assembly = this.#assemblies.get(key);
    if (assembly === undefined) {
      assembly = { count: part.count, parts: [], received: 0, bytes: 0, held: 0 };
      this.#assemblies.set(key, assembly);
    }
    if (assembly.count !== part.count) return { type: "dropped", reason: "malformed" };
    if (assembly.parts[part.index] !== undefined) return { type: "waiting" };
    const cost = part.bytes.length + HELD_PART_OVERHEAD;
    assembly.parts[part.index] = part.bytes;
    assembly.received += 1;
    assembly.bytes += part.bytes.length;
    assembly.held += cost;
    this.#held += cost;
    if (assembly.held > this.#maxBytes) {
      this.#forget(key, assembly);
      return { type: "dropped", reason: "too-large" };
    }
    if (assembly.received < assembly.count) {
      this.#makeRoom(key);
      return { type: "waiting" };
    }
    this.#forget(key, assembly);
    return { type: "content", content: concatenate(assembly.parts, assembly.bytes) };
  }

  #forget(key: string, assembly: Assembly): void {
    this.#assemblies.delete(key);
    this.#held -= assembly.held;
  }

  #makeRoom(keep: string): void {
    for (const [key, assembly] of this.#assemblies) {
      if (this.#held <= this.#maxBytes) return;
      if (key !== keep) this.#forget(key, assembly);
    }
  }
}

function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
