import type { VirtualClock } from "./virtual-clock.ts";

/** What has happened, as a hash, and as text if it is to be read. Two equal runs have equal hashes. */
export interface Trace {
  /** `value` tells events of the same name apart; `detail` is only made when the trace is to be read. */
  note(actor: string, what: string, value: number, detail?: () => string): void;
  readonly hash: string;
}

export function createTrace(clock: VirtualClock, print?: (line: string) => void): Trace {
  // Two lanes of FNV-1a (Fowler, Noll, Vo), the second over another basis.
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  const number = new Float64Array(2);
  const words = new Uint32Array(number.buffer);

  function mix(word: number): void {
    a = Math.imul(a ^ word, 0x01000193);
    b = Math.imul(b ^ (word + 0x9e3779b9), 0x01000193) ^ (b >>> 15);
  }

  function mixText(text: string): void {
    for (let i = 0; i < text.length; i++) mix(text.charCodeAt(i));
  }

  return {
    note(actor, what, value, detail) {
      mixText(actor);
      mixText(what);
      number[0] = clock.now;
      number[1] = value;
      for (const word of words) mix(word);
      print?.(
        `${clock.now.toFixed(1).padStart(9)} ${actor.padEnd(9)} ${what.padEnd(12)} ${detail?.() ?? ""}`,
      );
    },
    get hash() {
      return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

/** Bytes as one number, for a trace. */
export function fingerprint(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
