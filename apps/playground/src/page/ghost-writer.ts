import * as Y from "yjs";

const WORDS =
  "every keystroke goes to its instance, from there once to the broker, and on to every other instance. ";

/** Between two letters, in milliseconds: a quick typist. */
const PAUSE = 90;

/** Writes the next letter behind the one before. */
export type Pen = () => void;

/** Types by itself, so that both hands are free to break things. */
export class GhostWriter {
  readonly #pen: () => Pen;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `pen`: what to write with; asked before each letter. */
  constructor(pen: () => Pen) {
    this.#pen = pen;
  }

  get writing(): boolean {
    return this.#timer !== undefined;
  }

  toggle(): void {
    if (this.writing) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer = setInterval(() => this.#pen()(), PAUSE);
    }
  }
}

/**
 * Writes a line of its own at the end of the text: two who wrote at the very end would take turns by the letter. The line's
 * end is its own as well, so that who begins behind it, not knowing how it goes on, does not come between.
 */
export function penForText(text: Y.Text): Pen {
  const letters = words();
  let place: Y.RelativePosition | undefined;
  return () => {
    const letter = letters.next().value;
    const found =
      place && text.doc && Y.createAbsolutePositionFromRelativePosition(place, text.doc);
    let at = found?.index ?? text.length;
    if (found) {
      text.insert(at, letter);
    } else {
      const before = text.length === 0 || text.toString().endsWith("\n") ? "" : "\n";
      text.insert(at, `${before}${letter}\n`);
      at += before.length;
    }
    // Bound to the letter on its left, it stays there whatever others write.
    place = Y.createRelativePositionFromTypeIndex(text, at + 1, -1);
  };
}

/** Writes a paragraph of its own at the end of the rich text. */
export function penForRichText(fragment: Y.XmlFragment): Pen {
  const letters = words();
  let paragraph: Y.XmlElement | undefined;
  let line = new Y.XmlText();
  return () => {
    if (paragraph === undefined || !fragment.toArray().includes(paragraph)) {
      paragraph = new Y.XmlElement("paragraph");
      line = new Y.XmlText();
      paragraph.insert(0, [line]);
      fragment.push([paragraph]);
    }
    line.insert(line.length, letters.next().value);
  };
}

/** The words' letters, over and over. */
function* words(): Generator<string, never> {
  for (;;) yield* WORDS;
}
