import "./dom.ts";
import { BlockNoteEditor } from "@blocknote/core";
import type { PartialBlock } from "@blocknote/core";
import { withCollaboration } from "@blocknote/core/yjs";
import { createHost } from "./dom.ts";
import type { EditorKind } from "./editor.ts";
import { sentence, word } from "./prose.ts";
import { createProseMirrorWriter } from "./prosemirror-commands.ts";
import type { Random } from "./random.ts";

/** BlockNote: blocks within blocks, each of which has exactly one content and perhaps a group of children. */
export const blockNote: EditorKind = {
  name: "BlockNote",
  // When a block is lost as two change it at once, y-prosemirror looks for the cursor where there is nothing, and throws.
  authors: "in turn",
  open(doc, awareness) {
    const collaboration = {
      fragment: doc.getXmlFragment("blocknote"),
      user: { name: "an author", color: "#888888" },
      provider: { awareness },
    };
    const editor = BlockNoteEditor.create(
      withCollaboration({ trailingBlock: true, collaboration }),
    );
    const host = createHost();
    editor.mount(host);

    /** Without reading the whole document into blocks. */
    function anyBlock(random: Random): string {
      const ids: string[] = [];
      editor.prosemirrorState.doc.descendants(({ type, attrs, isTextblock }) => {
        if (type.name === "blockContainer") ids.push(String(attrs["id"]));
        return !isTextblock;
      });
      const id = ids[random.integer(0, ids.length - 1)];
      if (id === undefined) throw new Error("a document of BlockNote has a block");
      return id;
    }

    function write(random: Random): void {
      editor.insertBlocks([section(random)], anyBlock(random), random.pick(["before", "after"]));
    }

    /** Another type for a block: its content is another node then. */
    function convert(random: Random): void {
      const block = editor.getBlock(anyBlock(random));
      if (block === undefined || !Array.isArray(block.content)) return;
      const type = random.pick(["paragraph", "heading", "quote", "bulletListItem"] as const);
      editor.updateBlock(block, { type });
    }

    function nest(random: Random): void {
      editor.setTextCursorPosition(anyBlock(random), "start");
      if (random.chance(0.7)) editor.nestBlock();
      else editor.unnestBlock();
    }

    function remove(random: Random): void {
      editor.removeBlocks([anyBlock(random)]);
    }

    const writer = createProseMirrorWriter(editor.prosemirrorView, {
      section,
      textblocks: [],
      wrappings: [],
    });
    return {
      content: () => editor.document,
      write,
      type: writer.type,
      edit(random) {
        random.pick([writer.type, writer.type, writer.edit, convert, convert, nest, remove])(
          random,
        );
      },
      errors: [],
      destroy() {
        editor.unmount();
        host.remove();
      },
    };
  },
};

function inline(random: Random): PartialBlock["content"] {
  return [
    { type: "text", text: `${sentence(random)} `, styles: {} },
    { type: "text", text: word(random), styles: { [random.pick(["bold", "italic"])]: true } },
    { type: "text", text: ` ${sentence(random)}`, styles: {} },
  ];
}

/** Its own would be another in each run. */
function id(random: Random): string {
  return Array.from({ length: 4 }, () => random.integer(0, 0xffff).toString(16)).join("-");
}

function block(random: Random, type: PartialBlock["type"], depth: number): PartialBlock {
  const count = depth > 0 && random.chance(0.6) ? random.integer(1, 3) : 0;
  return {
    id: id(random),
    type,
    content: inline(random),
    children: Array.from({ length: count }, () => block(random, type, depth - 1)),
  } as PartialBlock;
}

function table(random: Random): PartialBlock {
  const columns = random.integer(2, 4);
  const row = () => ({ cells: Array.from({ length: columns }, () => sentence(random, 5)) });
  return {
    id: id(random),
    type: "table",
    content: { type: "tableContent", rows: Array.from({ length: random.integer(2, 4) }, row) },
  };
}

function section(random: Random): PartialBlock {
  return random.pick<() => PartialBlock>([
    () => block(random, "paragraph", 2),
    () => block(random, "heading", 0),
    () => block(random, "quote", 1),
    () => block(random, "bulletListItem", 3),
    () => block(random, "numberedListItem", 2),
    () => block(random, "checkListItem", 2),
    () => table(random),
  ])();
}
