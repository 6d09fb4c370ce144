import * as Y from "yjs";

interface Keystroke {
  readonly client: number;
  readonly clock: number;
  readonly at: number;
}

/** So many of the latest make the median. */
const REMEMBERED = 50;

/** Measures in the page itself how long a keystroke takes from one document to another. */
export class TypingLag {
  readonly #lags: number[] = [];
  readonly #measured: () => void;

  constructor(documents: readonly [Y.Doc, Y.Doc], measured: () => void) {
    this.#measured = measured;
    const [a, b] = documents;
    this.#watch(a, b);
    this.#watch(b, a);
  }

  /** In milliseconds. */
  get latest(): number | undefined {
    return this.#lags.at(-1);
  }

  /** Of the last fifty, in milliseconds. */
  get median(): number | undefined {
    const sorted = this.#lags.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }

  #watch(from: Y.Doc, to: Y.Doc): void {
    let underWay: Keystroke[] = [];
    from.on("afterTransaction", ({ local, beforeState, afterState }: Y.Transaction) => {
      const client = from.clientID;
      const clock = afterState.get(client) ?? 0;
      // A deletion has no clock by which it could be recognised on the other side.
      if (!local || clock === (beforeState.get(client) ?? 0)) return;
      underWay.push({ client, clock, at: performance.now() });
    });
    to.on("update", () => {
      const arrived = underWay.filter(({ client, clock }) => Y.getState(to.store, client) >= clock);
      if (arrived.length === 0) return;
      underWay = underWay.filter((keystroke) => !arrived.includes(keystroke));
      const now = performance.now();
      for (const { at } of arrived) this.#lags.push(now - at);
      this.#lags.splice(0, this.#lags.length - REMEMBERED);
      this.#measured();
    });
  }
}
