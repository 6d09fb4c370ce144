import type * as Y from "yjs";

const WORDS =
  "every keystroke goes to its instance from there once to the broker and to every other instance it is held by all of them ";

/** Between two letters, in milliseconds: a quick typist. */
const PAUSE = 90;

/** Types by itself, so that both hands are free to break things. */
export class GhostWriter {
  readonly #text: Y.Text;
  #timer: ReturnType<typeof setInterval> | undefined;
  #next = 0;

  constructor(text: Y.Text) {
    this.#text = text;
  }

  get writing(): boolean {
    return this.#timer !== undefined;
  }

  toggle(): void {
    if (this.writing) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer = setInterval(() => {
      this.#text.insert(this.#text.length, WORDS.charAt(this.#next % WORDS.length));
      this.#next += 1;
    }, PAUSE);
  }
}
