import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { Editor, EditorKind } from "./editor.ts";
import { firstDifference } from "./first-difference.ts";
import { createRandom } from "./random.ts";
import type { Random } from "./random.ts";

/** How it is written: in whole parts that are then worked over, or word by word. */
export type WritingStyle = "parts" | "words";

export interface WritingOptions {
  readonly kind: EditorKind;
  /** About how large the document is in the end, encoded. */
  readonly bytes: number;
  readonly style: WritingStyle;
  readonly seed: number;
  /** @default 3 */
  readonly authors?: number;
}

/** What one author sent, one update for each of its transactions. */
export type Sent = readonly Uint8Array[];

/** What each author sent at the same time: none had seen anything of it by the others. */
export type Exchange = readonly Sent[];

/**
 * What was written at the same time, and then what the authors' editors said to that: they mend what two did at once. Afterwards
 * all hold the same, and none has anything more to say.
 */
export type Chapter = readonly Exchange[];

/** A document that several authors wrote with real editors, and how they did. */
export interface WrittenDocument {
  readonly kind: EditorKind;
  readonly chapters: readonly Chapter[];
  /** All of it, as Yjs encodes it. */
  readonly state: Uint8Array;
  /** What each author's editor showed in the end. */
  readonly content: unknown;
}

interface Author {
  readonly doc: Y.Doc;
  readonly editor: Editor;
  sent: Uint8Array[];
}

/** Where an author's document says that an update came from another author. */
const FROM_OTHERS = Symbol("from others");

/** After so many chapters an author closes the page and opens it again: goes on under another client id. */
const CHAPTERS_PER_SESSION = 3;

/** How many chapters a document has at least. */
const CHAPTERS = 16;

/** The authors agree after a few exchanges, or their editors quarrel without end. */
const MAX_EXCHANGES = 20;

/** Lets several authors write one document in this process, each with an editor, partly at the same time. */
export async function writeTogether(options: WritingOptions): Promise<WrittenDocument> {
  const { kind, bytes, style, seed } = options;
  const random = createRandom(seed);
  const authors = Array.from({ length: options.authors ?? 3 }, () => openAuthor(kind));
  const chapters: Chapter[] = [];
  try {
    await turn();
    let size = 0;
    const perAuthor = bytes / CHAPTERS / authors.length;
    while (size < bytes) {
      if (chapters.length % CHAPTERS_PER_SESSION === 0) {
        for (const { doc } of authors) doc.clientID = random.integer(1, 0xffff_ffff);
      }
      // The first part of a document is written by one, or each would begin a document of its own.
      const inTurn = kind.authors === "in turn" || chapters.length === 0;
      const author = authors[chapters.length % authors.length];
      for (const one of inTurn && author !== undefined ? [author] : authors) {
        writePart(one, style, random, perAuthor);
      }
      chapters.push(await exchange(authors));
      const [first] = authors;
      size = first === undefined ? bytes : Y.encodeStateAsUpdate(first.doc).length;
    }
    return finished(kind, authors, chapters);
  } finally {
    for (const { editor, doc } of authors) {
      editor.destroy();
      doc.destroy();
    }
  }
}

function openAuthor(kind: EditorKind): Author {
  const doc = new Y.Doc();
  const editor = kind.open(doc, new Awareness(doc));
  const author: Author = { doc, editor, sent: [] };
  doc.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin !== FROM_OTHERS) author.sent.push(update);
  });
  return author;
}

function writePart(author: Author, style: WritingStyle, random: Random, bytes: number): void {
  const { editor } = author;
  const sent = () => author.sent.reduce((sum, update) => sum + update.length, 0);
  const until = sent() + bytes;
  while (sent() < until) {
    if (style === "parts") {
      editor.write(random);
      for (let i = random.integer(0, 4); i > 0; i -= 1) editor.edit(random);
    } else if (random.chance(0.03)) {
      editor.write(random);
    } else if (random.chance(0.3)) {
      editor.edit(random);
    } else {
      editor.type(random);
    }
  }
}

/** Gives each author what the others sent, until none has anything more to say: editors mend what two did at once. */
async function exchange(authors: readonly Author[]): Promise<Chapter> {
  const exchanges: Exchange[] = [];
  for (let i = 0; i < MAX_EXCHANGES; i += 1) {
    await turn();
    const round = authors.map(({ sent }) => sent);
    for (const author of authors) author.sent = [];
    if (round.every((sent) => sent.length === 0)) return exchanges;
    exchanges.push(round);
    for (const [from, sent] of round.entries()) {
      if (sent.length === 0) continue;
      const update = Y.mergeUpdates([...sent]);
      for (const [to, { doc }] of authors.entries()) {
        if (to !== from) Y.applyUpdate(doc, update, FROM_OTHERS);
      }
    }
  }
  throw new Error(
    "the authors' editors do not agree: each answers the others' changes with its own",
  );
}

function finished(
  kind: EditorKind,
  authors: readonly Author[],
  chapters: readonly Chapter[],
): WrittenDocument {
  const [first, ...others] = authors;
  if (first === undefined) throw new Error("a document needs an author");
  const snapshot = Y.snapshot(first.doc);
  const content = first.editor.content();
  for (const { doc, editor } of others) {
    if (!Y.equalSnapshots(snapshot, Y.snapshot(doc)))
      throw new Error("the authors hold different documents");
    const difference = firstDifference(editor.content(), content);
    if (difference !== undefined)
      throw new Error(`the authors see different documents: ${difference}`);
  }
  return { kind, chapters, state: Y.encodeStateAsUpdate(first.doc), content };
}

/** Editors that batch their updates have done so afterwards. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
