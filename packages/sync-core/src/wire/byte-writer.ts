/** In bytes: enough for nearly all that is written. */
const BUFFER_SIZE = 4096;

/** So few bytes are copied one by one: making a view of them takes longer. */
const LITTLE = 32;

/** So many buffers are kept for the writers to come: more are seldom at work at once. */
const MOST_SPARE = 8;
const spare: Uint8Array[] = [];
const FINISHED = new Uint8Array();

/** Writes what {@link ByteReader} reads, into one buffer that doubles when it is full and is used again by later writers. */
export class ByteWriter {
  #bytes: Uint8Array = spare.pop() ?? new Uint8Array(BUFFER_SIZE);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  varUint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      // `%` and division, not bit operators: those would cut the number to 32 bits.
      this.#bytes[this.#length] = 0x80 | (rest % 128);
      this.#length += 1;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes what stands in `bytes` from `from` to `to`. */
  putPart(bytes: Uint8Array, from: number, to: number): void {
    if (to - from > LITTLE) {
      this.put(bytes.subarray(from, to));
      return;
    }
    this.#reserve(to - from);
    for (let i = from; i < to; i++) this.#bytes[this.#length++] = bytes[i] ?? 0;
  }

  varBytes(bytes: Uint8Array): void {
    this.varUint(bytes.length);
    this.put(bytes);
  }

  /** What was written, alone in its buffer. The writer is not to be used again. */
  finish(): Uint8Array {
    const bytes = this.#bytes;
    // Something large has been given just the room it takes.
    if (this.#length === bytes.length) {
      this.#bytes = FINISHED;
      return bytes;
    }
    const written = bytes.slice(0, this.#length);
    this.discard();
    return written;
  }

  /** Ends without a result, and leaves the buffer to others. Nothing happens if it has ended. */
  discard(): void {
    const bytes = this.#bytes;
    this.#bytes = FINISHED;
    if (bytes.length === BUFFER_SIZE && spare.length < MOST_SPARE) spare.push(bytes);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
