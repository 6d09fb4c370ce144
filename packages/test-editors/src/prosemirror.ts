import "./dom.ts";
import { Schema } from "prosemirror-model";
import { schema as basic } from "prosemirror-schema-basic";
import { addListNodes, sinkListItem, splitListItem } from "prosemirror-schema-list";
import { EditorState } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { ySyncPlugin, yUndoPlugin } from "y-prosemirror";
import type * as Y from "yjs";
import { createHost } from "./dom.ts";
import type { Editor, EditorKind } from "./editor.ts";
import { sentence, word } from "./prose.ts";
import { createProseMirrorWriter } from "./prosemirror-commands.ts";
import type { Random } from "./random.ts";

type NodeJson = {
  readonly type: string;
  readonly content?: readonly object[];
  readonly attrs?: object;
};

function paragraph(random: Random): NodeJson {
  return {
    type: "paragraph",
    content: [
      { type: "text", text: `${sentence(random)} ` },
      { type: "text", text: word(random), marks: [{ type: random.pick(["strong", "em"]) }] },
      { type: "text", text: ` ${sentence(random)}` },
    ],
  };
}

function times(count: number, make: () => NodeJson): NodeJson[] {
  return Array.from({ length: count }, make);
}

function list(random: Random, type: string, depth: number): NodeJson {
  return {
    type,
    content: times(random.integer(2, 4), () => ({
      type: "list_item",
      content: [
        paragraph(random),
        ...(depth > 0 && random.chance(0.5) ? [list(random, type, depth - 1)] : []),
      ],
    })),
  };
}

export interface ProseMirrorEditor extends Editor {
  readonly view: EditorView;
}

/** Opens a view on the document, by `schema`; `section` makes the parts that are written there. */
export function openProseMirror(
  doc: Y.Doc,
  schema: Schema,
  section: (random: Random) => object,
): ProseMirrorEditor {
  const host = createHost();
  const view = new EditorView(host, {
    state: EditorState.create({
      schema,
      plugins: [ySyncPlugin(doc.getXmlFragment("prosemirror")), yUndoPlugin()],
    }),
  });
  const { paragraph, heading, remark, blockquote, list_item: item } = schema.nodes;
  return {
    ...createProseMirrorWriter(view, {
      section,
      commands: item === undefined ? [] : [splitListItem(item), sinkListItem(item)],
      textblocks: [paragraph, heading, remark].filter((type) => type !== undefined),
      wrappings: blockquote === undefined ? [] : [blockquote],
    }),
    view,
    content: () => view.state.doc.toJSON() as unknown,
    errors: [],
    destroy() {
      view.destroy();
      host.remove();
    },
  };
}

const withLists = new Schema({
  nodes: addListNodes(basic.spec.nodes, "block+", "block"),
  marks: basic.spec.marks,
});

/** y-prosemirror with the basic schema and its lists. */
export const proseMirror: EditorKind = {
  name: "ProseMirror",
  open: (doc) =>
    openProseMirror(doc, withLists, (random) =>
      random.pick<(random: Random) => NodeJson>([
        paragraph,
        () => ({ ...paragraph(random), type: "heading", attrs: { level: 2 } }),
        () => ({
          type: "blockquote",
          content: times(random.integer(1, 2), () => paragraph(random)),
        }),
        () => ({ type: "blockquote", content: [list(random, "bullet_list", 1)] }),
        () => list(random, "ordered_list", 2),
        () => list(random, "bullet_list", 3),
      ])(random),
    ),
};

const strict = new Schema({
  nodes: {
    doc: { content: "block+" },
    paragraph: { group: "block", content: "inline*", toDOM: () => ["p", 0] },
    list: { group: "block", content: "list_item+", toDOM: () => ["ul", 0] },
    list_item: { content: "(paragraph | remark) list?", defining: true, toDOM: () => ["li", 0] },
    figure: { group: "block", content: "picture (caption | remark)", toDOM: () => ["figure", 0] },
    picture: { attrs: { src: { default: "" } }, toDOM: () => ["img"] },
    caption: { content: "inline*", toDOM: () => ["figcaption", 0] },
    interview: { group: "block", content: "(question answer+)+", toDOM: () => ["section", 0] },
    question: { content: "inline*", toDOM: () => ["h4", 0] },
    remark: { content: "inline*", toDOM: () => ["aside", 0] },
    answer: { content: "(paragraph | remark)+", toDOM: () => ["div", 0] },
    text: { group: "inline" },
  },
  marks: {
    strong: { toDOM: () => ["strong", 0] },
    em: { toDOM: () => ["em", 0] },
  },
});

/** y-prosemirror with a schema that leaves little room: a figure without its caption is none. */
export const strictProseMirror: EditorKind = {
  name: "ProseMirror with a strict schema",
  open: (doc) =>
    openProseMirror(doc, strict, (random) =>
      random.pick<(random: Random) => NodeJson>([
        paragraph,
        () => list(random, "list", 3),
        () => ({
          type: "figure",
          content: [
            { type: "picture", attrs: { src: `https://example.com/${word(random)}.png` } },
            { ...paragraph(random), type: "caption" },
          ],
        }),
        () => ({
          type: "interview",
          content: times(random.integer(1, 3), () => paragraph(random)).flatMap((question) => [
            { ...question, type: "question" },
            { type: "answer", content: times(random.integer(1, 2), () => paragraph(random)) },
          ]),
        }),
      ])(random),
    ),
};
