import "./dom.ts";
import { Editor as TipTapEditor } from "@tiptap/core";
import type { JSONContent } from "@tiptap/core";
import { Collaboration } from "@tiptap/extension-collaboration";
import { Image } from "@tiptap/extension-image";
import { TaskItem, TaskList } from "@tiptap/extension-list";
import { TableKit } from "@tiptap/extension-table";
import { sinkListItem, splitListItem } from "@tiptap/pm/schema-list";
import { addRowAfter } from "@tiptap/pm/tables";
import { StarterKit } from "@tiptap/starter-kit";
import { createHost } from "./dom.ts";
import type { EditorKind } from "./editor.ts";
import { sentence, word } from "./prose.ts";
import { createProseMirrorWriter } from "./prosemirror-commands.ts";
import type { Random } from "./random.ts";

/** TipTap 3 with what most applications have: lists, tasks, tables, images, quotes. */
export const tipTap: EditorKind = {
  name: "TipTap",
  open(doc) {
    const host = createHost();
    const editor = new TipTapEditor({
      element: host,
      extensions: [
        StarterKit.configure({ undoRedo: false }),
        TaskList,
        TaskItem.configure({ nested: true }),
        TableKit,
        Image,
        Collaboration.configure({ document: doc }),
      ],
    });
    const { paragraph, heading, blockquote, listItem, taskItem } = editor.schema.nodes;
    if (!paragraph || !heading || !blockquote || !listItem || !taskItem) {
      throw new Error("the schema lacks what the extensions bring");
    }
    const writer = createProseMirrorWriter(editor.view, {
      section,
      commands: [
        splitListItem(listItem),
        sinkListItem(listItem),
        splitListItem(taskItem),
        addRowAfter,
      ],
      textblocks: [paragraph, heading],
      wrappings: [blockquote],
    });
    return {
      ...writer,
      content: () => editor.getJSON(),
      errors: [],
      destroy() {
        editor.destroy();
        host.remove();
      },
    };
  },
};

function text(random: Random): JSONContent[] {
  return [
    { type: "text", text: `${sentence(random)} ` },
    {
      type: "text",
      text: word(random),
      marks: [{ type: random.pick(["bold", "italic", "code"]) }],
    },
    { type: "text", text: ` ${sentence(random)}` },
  ];
}

function paragraph(random: Random): JSONContent {
  return { type: "paragraph", content: text(random) };
}

function times(count: number, make: () => JSONContent): JSONContent[] {
  return Array.from({ length: count }, make);
}

function list(random: Random, depth: number): JSONContent {
  const ordered = random.chance(0.4);
  return {
    type: ordered ? "orderedList" : "bulletList",
    content: times(random.integer(2, 4), () => ({
      type: "listItem",
      content: [
        paragraph(random),
        ...(depth > 0 && random.chance(0.5) ? [list(random, depth - 1)] : []),
      ],
    })),
  };
}

function tasks(random: Random, depth: number): JSONContent {
  return {
    type: "taskList",
    content: times(random.integer(2, 4), () => ({
      type: "taskItem",
      attrs: { checked: random.chance(0.5) },
      content: [
        paragraph(random),
        ...(depth > 0 && random.chance(0.4) ? [tasks(random, depth - 1)] : []),
      ],
    })),
  };
}

function table(random: Random): JSONContent {
  const columns = random.integer(2, 4);
  const row = (type: string) => ({
    type: "tableRow",
    content: times(columns, () => ({ type, content: [paragraph(random)] })),
  });
  return {
    type: "table",
    content: [row("tableHeader"), ...times(random.integer(1, 3), () => row("tableCell"))],
  };
}

function section(random: Random): JSONContent {
  return random.pick([
    paragraph,
    () => ({ type: "heading", attrs: { level: random.integer(1, 3) }, content: text(random) }),
    () => ({ type: "codeBlock", content: [{ type: "text", text: sentence(random) }] }),
    () => ({ type: "image", attrs: { src: "https://example.com/a.png", alt: word(random) } }),
    () => ({ type: "blockquote", content: [paragraph(random), list(random, 1)] }),
    () => ({ type: "blockquote", content: [paragraph(random)] }),
    () => list(random, 3),
    () => list(random, 3),
    () => tasks(random, 2),
    table,
    table,
  ])(random);
}
