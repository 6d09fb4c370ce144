import {
  joinBackward,
  lift,
  setBlockType,
  splitBlock,
  toggleMark,
  wrapIn,
} from "prosemirror-commands";
import type { Node, NodeType } from "prosemirror-model";
import { TextSelection } from "prosemirror-state";
import type { Command } from "prosemirror-state";
import type { EditorView } from "prosemirror-view";
import { sentence, word } from "./prose.ts";
import type { Random } from "./random.ts";

/** How often a command is tried at another place when it does not apply at one. */
const ATTEMPTS = 5;

export interface ProseMirrorWriter {
  write(random: Random): void;
  edit(random: Random): void;
  type(random: Random): void;
}

export interface ProseMirrorWriterOptions {
  /** A new part at the top of the document, as JSON. */
  readonly section: (random: Random) => object;
  /** What the schema has of its own, such as the commands of its lists. */
  readonly commands?: readonly Command[];
  /** What a block of text can be made. */
  readonly textblocks: readonly NodeType[];
  /** What blocks can be wrapped in. */
  readonly wrappings: readonly NodeType[];
}

interface Place {
  readonly start: number;
  readonly node: Node;
}

/** Writes in a ProseMirror view as a user would, by transactions and the usual commands. */
export function createProseMirrorWriter(
  view: EditorView,
  options: ProseMirrorWriterOptions,
): ProseMirrorWriter {
  const { section, commands = [] } = options;
  const structural: [Command, ...Command[]] = [
    splitBlock,
    joinBackward,
    lift,
    ...commands,
    ...options.wrappings.map((type) => wrapIn(type)),
  ];
  const conversions = options.textblocks.map((type) => setBlockType(type));

  function textblocks(): Place[] {
    const places: Place[] = [];
    view.state.doc.descendants((node, position) => {
      if (node.isTextblock) places.push({ start: position + 1, node });
      return !node.isTextblock;
    });
    return places;
  }

  function anyTextblock(random: Random): Place | undefined {
    const places = textblocks();
    return places[random.integer(0, places.length - 1)];
  }

  function select(from: number, to = from): void {
    const { tr, doc } = view.state;
    view.dispatch(tr.setSelection(TextSelection.create(doc, from, to)));
  }

  function type(random: Random): void {
    const place = anyTextblock(random);
    if (place === undefined) {
      write(random);
      return;
    }
    const at = place.start + random.integer(0, place.node.content.size);
    view.dispatch(view.state.tr.insertText(` ${word(random)}`, at));
  }

  function write(random: Random): void {
    const { state } = view;
    const index = random.integer(0, state.doc.childCount);
    let at = 0;
    for (let i = 0; i < index; i += 1) at += state.doc.child(i).nodeSize;
    view.dispatch(state.tr.insert(at, state.schema.nodeFromJSON(section(random))));
  }

  function erase(random: Random): void {
    const place = anyTextblock(random);
    if (place === undefined || place.node.content.size < 4) return;
    const from = place.start + random.integer(0, place.node.content.size - 3);
    view.dispatch(view.state.tr.delete(from, from + 3));
  }

  function replace(random: Random): void {
    const place = anyTextblock(random);
    if (place === undefined) return;
    const { start, node } = place;
    view.dispatch(view.state.tr.insertText(sentence(random), start, start + node.content.size));
  }

  function format(random: Random): void {
    const marks = Object.values(view.state.schema.marks);
    const mark = marks[random.integer(0, marks.length - 1)];
    const place = anyTextblock(random);
    if (mark === undefined || place === undefined) return;
    const { start, node } = place;
    const from = start + random.integer(0, node.content.size);
    const to = Math.min(from + random.integer(2, 12), start + node.content.size);
    if (from === to) return;
    select(from, to);
    toggleMark(mark, mark.name === "link" ? { href: "https://example.com/" } : null)(
      view.state,
      view.dispatch.bind(view),
    );
  }

  function restructure(random: Random): void {
    const command = random.pick(random.chance(0.5) ? structural : [splitBlock, ...conversions]);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const place = anyTextblock(random);
      if (place === undefined) return;
      const { start, node } = place;
      select(start + (command === joinBackward ? 0 : random.integer(0, node.content.size)));
      if (command(view.state, view.dispatch.bind(view))) return;
    }
  }

  return {
    write,
    type,
    edit(random) {
      random.pick([type, type, erase, replace, format, restructure, restructure, restructure])(
        random,
      );
    },
  };
}
