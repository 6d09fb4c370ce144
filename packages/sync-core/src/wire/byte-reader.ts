/** Thrown by {@link ByteReader} at the first byte that is not there; decoders turn it into a result. */
export class TruncatedError extends Error {
  override readonly name = "TruncatedError";
}

/**
 * Reads foreign bytes. Never reads past the given view, even when it lies in a larger buffer (Node pools small
 * ones), and never accepts a number that JavaScript could not hold exactly.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** How many bytes have been read. */
  get position(): number {
    return this.#position;
  }

  /** Goes on reading there. */
  seek(position: number): void {
    this.#position = position;
  }

  uint8(): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) throw new TruncatedError("a byte is missing");
    this.#position += 1;
    return byte;
  }

  /** The variable-length integer of lib0 and y-protocols: 7 bits a byte, lowest first, high bit says "more". */
  varUint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.uint8();
      value += (byte & 0x7f) * factor;
      if (!Number.isSafeInteger(value)) throw new TruncatedError("an integer is too large");
      if (byte < 0x80) return value;
      factor *= 128;
    }
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    const start = byteOffset + this.#position;
    this.skip(length);
    // Not `subarray`: a Buffer's is a Buffer, whose `slice` is a view and not the copy that a Uint8Array's is.
    return new Uint8Array(buffer, start, length);
  }

  skip(length: number): void {
    if (length > this.remaining) throw new TruncatedError("bytes are missing");
    this.#position += length;
  }

  /** A view of bytes that are preceded by their length. */
  varBytes(): Uint8Array {
    return this.take(this.varUint());
  }

  rest(): Uint8Array {
    return this.take(this.remaining);
  }
}
