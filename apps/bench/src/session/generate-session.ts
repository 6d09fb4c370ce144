import { recordSession } from "./editing-session.ts";
import type { Edit, EditingSession } from "./editing-session.ts";

const LETTERS = "etaoinshrdlucmfwypvbgkjqxz";

function someClient(random: () => number): number {
  return 1 + Math.floor(random() * 0xffff_fffe);
}

/** Letters and spaces as they fall. */
function someText(length: number, random: () => number): string {
  let text = "";
  for (let i = 0; i < length; i++) {
    text += random() < 0.18 ? " " : LETTERS.charAt(Math.floor(random() * LETTERS.length));
  }
  return text;
}

/**
 * Typing as people do: words, now and then a letter struck out, now and then at another place. `pasted` characters
 * are there before, as one keystroke.
 */
export function generateTyping(length: number, random: () => number, pasted = 0): EditingSession {
  function* edits(): Generator<Edit> {
    let size = pasted;
    let cursor = pasted;
    if (pasted > 0) yield { position: 0, deleted: 0, inserted: someText(pasted, random) };
    for (let i = 0; i < length; i++) {
      const what = random();
      if (what < 0.02) cursor = Math.floor(random() * (size + 1));
      if (what > 0.9 && cursor > 0) {
        cursor -= 1;
        size -= 1;
        yield { position: cursor, deleted: 1, inserted: "" };
      } else {
        yield { position: cursor, deleted: 0, inserted: someText(1, random) };
        cursor += 1;
        size += 1;
      }
    }
  }
  return recordSession("generated typing", someClient(random), edits());
}

/** A document that grows to `size` characters by phrases put in and struck out all over, then `after` keystrokes. */
export function generateGrowth(size: number, after: number, random: () => number): EditingSession {
  function* edits(): Generator<Edit> {
    let length = 0;
    while (length < size) {
      const place = Math.floor(random() * (length + 1));
      const phrase = 20 + Math.floor(random() * 180);
      if (random() < 0.15 && length > 1000) {
        const deleted = Math.min(phrase, length - place);
        if (deleted === 0) continue;
        yield { position: place, deleted, inserted: "" };
        length -= deleted;
      } else {
        // Most is written behind what stands, as documents grow.
        const position = random() < 0.7 ? length : place;
        yield { position, deleted: 0, inserted: someText(phrase, random) };
        length += phrase;
      }
    }
    for (let i = 0; i < after; i++) {
      yield { position: length, deleted: 0, inserted: someText(1, random) };
      length += 1;
    }
  }
  return recordSession("a document grown by phrases", someClient(random), edits());
}

/** Sentences typed letter by letter, and erased letter by letter, over and over. */
export function generateErasing(length: number, random: () => number): EditingSession {
  function* edits(): Generator<Edit> {
    let size = 0;
    let target = 0;
    let erasing = false;
    for (let i = 0; i < length; i++) {
      if (size === 0) {
        erasing = false;
        target = 20 + Math.floor(random() * 60);
      } else if (size === target) {
        erasing = true;
      }
      if (erasing) {
        size -= 1;
        yield { position: size, deleted: 1, inserted: "" };
      } else {
        yield { position: size, deleted: 0, inserted: someText(1, random) };
        size += 1;
      }
    }
  }
  return recordSession("sentences typed and erased", someClient(random), edits());
}
