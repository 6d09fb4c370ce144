const INITIAL_CAPACITY = 256;

/** More room than that is not kept when it is cleared, in bytes. */
const MOST_KEPT = 4096;

const NOTHING = new Uint8Array();

/**
 * Updates, one behind the other in a buffer that doubles when it is full: an object for each, that lives on, costs more to
 * keep, and to garbage collection, than what it holds.
 */
export class UpdateList {
  #bytes = NOTHING;
  /** Where each of them ends. */
  #ends: number[] = [];

  /** `bytes`: how many it will hold, if that is known: it need not grow to it. */
  constructor(bytes = 0) {
    if (bytes > 0) this.#bytes = new Uint8Array(bytes);
  }

  get count(): number {
    return this.#ends.length;
  }

  /** Of all together. */
  get byteLength(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Adds a copy. */
  push(update: Uint8Array): void {
    const start = this.byteLength;
    const end = start + update.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length, INITIAL_CAPACITY));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(update, start);
    this.#ends.push(end);
  }

  /** Copies of all but the first `from`, each alone in its buffer. */
  copies(from = 0): Uint8Array[] {
    let start = this.#ends[from - 1] ?? 0;
    return this.#ends.slice(from).map((end) => {
      const copy = this.#bytes.slice(start, end);
      start = end;
      return copy;
    });
  }

  /** The buffer, and where in it each begins; until something is added. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  starts(): readonly number[] {
    return [0, ...this.#ends.slice(0, -1)];
  }

  clear(): void {
    this.#ends = [];
    if (this.#bytes.length > MOST_KEPT) this.#bytes = NOTHING;
  }
}
