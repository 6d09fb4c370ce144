import type { OfflineBudget } from "./options.ts";

/**
 * What local clients have typed and the peers were not sent. While the link is down it is kept as long as it fits:
 * then nothing of it is, and the peers get it by asking, as the request on the way up shows them that they are behind.
 */
export class UnsentUpdates {
  readonly #limit: number;
  readonly #budget: OfflineBudget;
  #frames: Uint8Array[] = [];
  #bytes = 0;
  #overflowed = false;

  /** `limit`: of this document, in bytes; `budget`: of all that share it. Both hold while the link is down. */
  constructor(limit: number, budget: OfflineBudget) {
    this.#limit = limit;
    this.#budget = budget;
  }

  get empty(): boolean {
    return this.#frames.length === 0;
  }

  add(frame: Uint8Array, linkUp: boolean): void {
    if (this.#overflowed) return;
    if (!linkUp && !this.#fits(frame.length)) {
      this.#overflowed = true;
      this.take();
      return;
    }
    this.#frames.push(frame);
    this.#bytes += frame.length;
    this.#budget.held += frame.length;
  }

  take(): Uint8Array[] {
    const taken = this.#frames;
    this.#budget.held -= this.#bytes;
    this.#frames = [];
    this.#bytes = 0;
    return taken;
  }

  /** The link is up, and the peers are being asked: what is typed from now on is kept again. */
  startOver(): void {
    this.#overflowed = false;
  }

  #fits(bytes: number): boolean {
    const { held, cap } = this.#budget;
    return this.#bytes + bytes <= this.#limit && held + bytes <= cap;
  }
}
