import * as Y from "yjs";
import type { Random } from "../simulation/random.ts";

/** The names of the four root types of a rich document. */
const ROOTS = { text: "text", map: "map", list: "list", xml: "xml" } as const;

export interface RichRoots {
  readonly text: Y.Text;
  readonly map: Y.Map<unknown>;
  readonly list: Y.Array<unknown>;
  readonly xml: Y.XmlFragment;
}

/** What can be edited, at the root or nested. */
type Editable = Y.Text | Y.Map<unknown> | Y.Array<unknown> | Y.XmlFragment;

/** What an edit may hold besides what is common. */
export interface RichEditOptions {
  /** How long a large paste is at most, in UTF-16 code units. */
  readonly pasteLength: number;
  /** Whether an edit may stand between the two halves of a surrogate pair, which Yjs then replaces. */
  readonly tornPairs: boolean;
}

const WORDS = [
  "a",
  "to",
  "edit",
  "naïve",
  "x ",
  "\n",
  "漢字",
  "שלום",
  "e\u0301",
  "\u200d",
] as const;
const PAIRS = ["😀", "👩‍👩‍👧", "🇩🇪", "𝒳", "🏳️‍🌈", "a😀b", "😀😀"] as const;
const KEYS = ["a", "b", "c", "d"] as const;
const NODES = ["paragraph", "heading", "bulletList", "listItem", "blockquote"] as const;
const NUMBERS = [0, 1, -1, 63, 64, -8192, 0.1, 2 ** 31, -(2 ** 31), 2 ** 40, -1.5e300] as const;
/** How deep types are nested in one another. */
const DEPTH = 5;
/** How deep values are nested in one another. */
const VALUE_DEPTH = 3;

export function richRoots(doc: Y.Doc): RichRoots {
  return {
    text: doc.getText(ROOTS.text),
    map: doc.getMap(ROOTS.map),
    list: doc.getArray(ROOTS.list),
    xml: doc.getXmlFragment(ROOTS.xml),
  };
}

/** Makes one edit in `doc`, at the root or in something nested; most are one update, typing is a few. */
export function editRichly(doc: Y.Doc, random: Random, options: RichEditOptions): void {
  const { type, depth } = someType(richRoots(doc), random);
  const edit = (): void => {
    if (type instanceof Y.Text) editText(type, random, options);
    else if (type instanceof Y.Map) editMap(type, random, depth);
    else if (type instanceof Y.Array) editArray(type, random, depth);
    else editXml(type, random, depth);
  };
  if (random.chance(0.15)) {
    // One update of two edits, the second perhaps to what the first has made.
    doc.transact(() => {
      edit();
      edit();
    });
  } else edit();
}

/** A root, or something in it. */
function someType(roots: RichRoots, random: Random): { type: Editable; depth: number } {
  let type: Editable = random.pick<Editable>([
    roots.text,
    roots.text,
    roots.map,
    roots.list,
    roots.xml,
    roots.xml,
  ]);
  let depth = 0;
  while (random.chance(0.7)) {
    const inner = someChild(type, random);
    if (inner === undefined) break;
    type = inner;
    depth += 1;
  }
  return { type, depth };
}

function someChild(type: Editable, random: Random): Editable | undefined {
  const child = type instanceof Y.Map ? type.get(random.pick(KEYS)) : someEntry(type, random);
  return isEditable(child) ? child : undefined;
}

function someEntry(type: Exclude<Editable, Y.Map<unknown>>, random: Random): unknown {
  // Embedded in a text: found by its items, as a text has no other way to it.
  if (type instanceof Y.Text) return random.chance(0.2) ? embeddedType(type) : undefined;
  return type.length === 0 ? undefined : type.get(random.integer(0, type.length - 1));
}

function embeddedType(text: Y.Text): unknown {
  for (let item = text._start; item !== null; item = item.right) {
    if (!item.deleted && item.content instanceof Y.ContentType) return item.content.type;
  }
  return undefined;
}

function isEditable(value: unknown): value is Editable {
  // A hook is a map as well.
  return (
    value instanceof Y.Text ||
    value instanceof Y.Map ||
    value instanceof Y.Array ||
    value instanceof Y.XmlFragment
  );
}

/** A place in a text, mostly its end or anywhere, and never within a surrogate pair unless that is asked for. */
function somePlace(text: Y.Text, random: Random, { tornPairs }: RichEditOptions): number {
  const place = random.chance(0.3) ? text.length : random.integer(0, text.length);
  return tornPairs || !isLowSurrogate(unitAt(text, place)) ? place : place + 1;
}

function isLowSurrogate(unit: string | undefined): boolean {
  return unit !== undefined && unit >= "\udc00" && unit <= "\udfff";
}

function unitAt(text: Y.Text, place: number): string | undefined {
  let offset = place;
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue;
    if (offset < item.length) {
      return item.content instanceof Y.ContentString ? item.content.str[offset] : undefined;
    }
    offset -= item.length;
  }
  return undefined;
}

function someSpan(text: Y.Text, random: Random, options: RichEditOptions) {
  const [one, other] = [somePlace(text, random, options), somePlace(text, random, options)];
  const from = Math.min(one, other);
  // Short as a rule: a text that loses a third with every deletion stays empty.
  const most = random.chance(0.8) ? 6 : text.length;
  let to = Math.min(Math.max(one, other), from + most);
  if (!options.tornPairs && isLowSurrogate(unitAt(text, to))) to += 1;
  return { from, length: to - from };
}

function someFormat(random: Random): Record<string, unknown> {
  switch (random.integer(0, 7)) {
    case 0:
    case 1:
      return { bold: true };
    case 2:
      return { bold: null };
    case 3:
      return { italic: true, bold: random.pick([true, null]) };
    case 4:
      return { italic: null };
    case 5:
      return { color: random.pick(["red", "#0f0", null]) };
    case 6:
      return { link: { href: `https://example.org/${random.integer(0, 3)}`, title: null } };
    default:
      return { link: null, comment: { thread: random.integer(0, 2), by: ["ann", { at: 1.5 }] } };
  }
}

function someText(random: Random): string {
  return random.chance(0.3) ? random.pick(PAIRS) : random.pick(WORDS);
}

function editText(text: Y.Text, random: Random, options: RichEditOptions): void {
  const kind = random.integer(0, 99);
  if (kind < 30) {
    let place = somePlace(text, random, options);
    for (let letters = random.integer(1, 6); letters > 0; letters--) {
      const letter = random.chance(0.1) ? random.pick(PAIRS) : random.pick(["e", "n", "i", " "]);
      text.insert(place, letter);
      place += letter.length;
    }
  } else if (kind < 42) {
    text.insert(somePlace(text, random, options), someText(random));
  } else if (kind < 50) {
    text.insert(somePlace(text, random, options), someText(random), someFormat(random));
  } else if (kind < 70) {
    const { from, length } = someSpan(text, random, options);
    text.delete(from, length);
  } else if (kind < 88) {
    const { from, length } = someSpan(text, random, options);
    text.format(from, length, someFormat(random));
  } else if (kind < 94) {
    const attributes = random.chance(0.3) ? someFormat(random) : {};
    text.insertEmbed(somePlace(text, random, options), someEmbed(text, random), attributes);
  } else if (kind < 96) {
    if (text instanceof Y.XmlText) text.setAttribute(random.pick(KEYS), someText(random));
    else text.applyDelta([{ retain: somePlace(text, random, options) }, { insert: "Δ" }]);
  } else {
    text.insert(somePlace(text, random, options), somePaste(random, options));
  }
}

function someEmbed(text: Y.Text, random: Random): object {
  // A text in a tree is moved as a copy, which what is embedded in it would not survive.
  if (text instanceof Y.XmlText || random.chance(0.6)) {
    return { image: `https://example.org/${random.integer(0, 9)}.png`, size: [1, 2.5, null] };
  }
  return new Y.Map<unknown>([["mention", someText(random)]]);
}

function somePaste(random: Random, { pasteLength }: RichEditOptions): string {
  const length = random.integer(Math.min(50, pasteLength), pasteLength);
  const sentence = `${random.pick(WORDS)} quick ${random.pick(PAIRS)} fox ${random.integer(0, 99)}. `;
  return sentence.repeat(Math.ceil(length / sentence.length));
}

/** A value as JSON has it. */
function someScalar(random: Random): unknown {
  switch (random.integer(0, 4)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick(NUMBERS);
    default:
      return someText(random);
  }
}

function someValue(random: Random, depth = 0): unknown {
  const kind = random.integer(0, depth < VALUE_DEPTH ? 7 : 4);
  if (kind < 5) return someScalar(random);
  if (kind === 5) {
    return Array.from({ length: random.integer(0, 3) }, () => someValue(random, depth + 1));
  }
  return {
    [random.pick(KEYS)]: someValue(random, depth + 1),
    // What Yjs takes below the first level only.
    nested: random.pick([undefined, 12_345_678_901n, someBytes(random), { deep: [[]] }]),
  };
}

function someBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.integer(0, 12) }, () => random.integer(0, 255));
}

/** What a map or an array may hold; types only as far as they may be nested. */
function someContent(random: Random, depth: number): unknown {
  const kind = random.integer(0, 19);
  if (kind < 8 || (kind < 17 && depth >= DEPTH)) return someValue(random);
  if (kind < 10) return new Y.Text(someText(random));
  if (kind < 12) return new Y.Map<unknown>([[random.pick(KEYS), someValue(random)]]);
  if (kind < 14) return Y.Array.from([someText(random), random.pick(NUMBERS)]);
  if (kind < 16) return someElement(random);
  if (kind < 17) return random.chance(0.3) ? new Y.XmlFragment() : someXmlText(random);
  if (kind < 19) return someBytes(random);
  return someSubdocument(random);
}

function someSubdocument(random: Random): Y.Doc {
  return new Y.Doc({
    guid: `subdocument-${random.integer(0, 0xffff_ffff).toString(16)}`,
    gc: random.chance(0.7),
    autoLoad: random.chance(0.3),
    meta: random.pick([null, { title: "chapter", tags: ["a", 1] }]),
  });
}

function editMap(map: Y.Map<unknown>, random: Random, depth: number): void {
  const key = random.pick(KEYS);
  if (random.chance(0.25)) map.delete(key);
  // Copies of a hook share what is nested in it with it, and no type can be in a document twice.
  else if (map instanceof Y.XmlHook) map.set(key, someValue(random));
  else map.set(key, random.chance(0.05) ? undefined : someContent(random, depth + 1));
}

function editArray(list: Y.Array<unknown>, random: Random, depth: number): void {
  const place = random.integer(0, list.length);
  if (random.chance(0.35) && place < list.length) {
    list.delete(place, Math.min(random.integer(1, 3), list.length - place));
  } else {
    const count = random.chance(0.7) ? 1 : random.integer(2, 4);
    list.insert(
      place,
      Array.from({ length: count }, () => someContent(random, depth + 1)),
    );
  }
}

function someElement(random: Random): Y.XmlElement {
  const element = new Y.XmlElement(random.pick(NODES));
  if (random.chance(0.5)) element.setAttribute("level", String(random.integer(1, 3)));
  element.insert(0, random.chance(0.6) ? [someXmlText(random)] : []);
  return element;
}

function someXmlText(random: Random): Y.XmlText {
  const text = new Y.XmlText();
  text.insert(0, someText(random), random.chance(0.3) ? { bold: true } : {});
  return text;
}

function someHook(random: Random): Y.XmlHook {
  const hook = new Y.XmlHook(random.pick(["video", "map"]));
  hook.set("source", someText(random));
  return hook;
}

function someNode(random: Random): Y.XmlElement | Y.XmlText {
  if (random.chance(0.6)) return someElement(random);
  // The declared type of what a tree holds leaves hooks out.
  return random.chance(0.9) ? someXmlText(random) : (someHook(random) as unknown as Y.XmlText);
}

function editXml(parent: Y.XmlFragment, random: Random, depth: number): void {
  const kind = random.integer(0, 99);
  const place = random.integer(0, parent.length);
  if (kind < 25 && parent instanceof Y.XmlElement) {
    // Its type says string; editors set what they like.
    const element = parent as unknown as Y.XmlElement<Record<string, object | string>>;
    const key = random.pick(["level", "align", "data"]);
    if (random.chance(0.3)) element.removeAttribute(key);
    else
      element.setAttribute(
        key,
        random.pick(["1", "left", someText(random), { cells: [1, null] }, [true]]),
      );
  } else if (kind < 55 || parent.length === 0) {
    if (depth >= DEPTH) return;
    parent.insert(place, [someNode(random)]);
  } else if (kind < 75 && place < parent.length) {
    parent.delete(place, Math.min(random.integer(1, 2), parent.length - place));
  } else if (place < parent.length) move(parent, place, random);
}

/** As an editor moves a node: what stands at `from` is deleted, and a copy of it made elsewhere. */
function move(parent: Y.XmlFragment, from: number, random: Random): void {
  const copy = parent.get(from).clone();
  parent.doc?.transact(() => {
    parent.delete(from, 1);
    parent.insert(random.integer(0, parent.length), [copy]);
  });
}
