import { setTimeout as wait } from "node:timers/promises";
import { connectProvider } from "../server/connect-provider.ts";
import type { EditorClient } from "../server/connect-provider.ts";
import { MARKS } from "./visit.ts";

/** A document that somebody has open on each instance, from before the first visitor until after the last. */
export class VisitedDocument {
  readonly name: string;
  readonly #readers: readonly EditorClient[];
  #typed = 0;

  private constructor(name: string, readers: readonly EditorClient[]) {
    this.name = name;
    this.#readers = readers;
  }

  static async open(name: string, urls: readonly string[]): Promise<VisitedDocument> {
    const readers = urls.map((url) => connectProvider(url, name));
    await Promise.all(readers.map(({ synced }) => synced));
    return new VisitedDocument(name, readers);
  }

  /** Keystrokes of the visitors so far. */
  get typed(): number {
    return this.#typed;
  }

  note(keystrokes: number): void {
    this.#typed += keystrokes;
  }

  /** Resolves with how many keystrokes are missing where most are, once none is or the patience is over. */
  async missing(patience: number): Promise<number> {
    const deadline = performance.now() + patience;
    while (this.#missingNow() > 0 && performance.now() < deadline) await wait(50);
    return this.#missingNow();
  }

  close(): void {
    for (const reader of this.#readers) reader.destroy();
  }

  #missingNow(): number {
    return Math.max(...this.#readers.map(({ doc }) => this.#typed - doc.getMap(MARKS).size));
  }
}
