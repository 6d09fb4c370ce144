/** Who writes through the transports of a factory: what a heartbeat says, without asking each of ten thousand documents. */
export class Senders {
  /** Through how many transports each of them does. */
  readonly #transports = new Map<string, number>();

  get ids(): readonly string[] {
    return [...this.#transports.keys()];
  }

  /** Somebody writes through a transport for the first time. */
  add(sender: string): void {
    this.#transports.set(sender, (this.#transports.get(sender) ?? 0) + 1);
  }

  /** A transport through which they have written has ended. */
  remove(senders: Iterable<string>): void {
    for (const sender of senders) {
      const left = (this.#transports.get(sender) ?? 0) - 1;
      if (left > 0) this.#transports.set(sender, left);
      else this.#transports.delete(sender);
    }
  }
}
