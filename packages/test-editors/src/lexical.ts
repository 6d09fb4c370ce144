import "./dom.ts";
import {
  $createListItemNode,
  $createListNode,
  $isListItemNode,
  ListItemNode,
  ListNode,
  registerList,
} from "@lexical/list";
import {
  $createHeadingNode,
  $createQuoteNode,
  HeadingNode,
  QuoteNode,
  registerRichText,
} from "@lexical/rich-text";
import {
  $createTableCellNode,
  $createTableNode,
  $createTableRowNode,
  registerTablePlugin,
  TableCellNode,
  TableNode,
  TableRowNode,
} from "@lexical/table";
import { createYjsBinding, syncLexicalUpdateToYjs, syncYjsChangesToLexical } from "@lexical/yjs";
import type { Provider } from "@lexical/yjs";
import {
  $createLineBreakNode,
  $createParagraphNode,
  $createTextNode,
  $getRoot,
  $isElementNode,
  createEditor,
} from "lexical";
import type { ElementNode, LexicalNode, TextNode } from "lexical";
import type * as Y from "yjs";
import { createHost } from "./dom.ts";
import type { EditorKind } from "./editor.ts";
import { sentence, word } from "./prose.ts";
import type { Random } from "./random.ts";

/** Lexical with rich text, lists and tables, bound as its React plugin binds it. */
export const lexical: EditorKind = {
  name: "Lexical",
  open(doc, awareness) {
    const errors: unknown[] = [];
    const editor = createEditor({
      nodes: [
        HeadingNode,
        QuoteNode,
        ListNode,
        ListItemNode,
        TableNode,
        TableRowNode,
        TableCellNode,
      ],
      onError: (error) => errors.push(error),
    });
    const host = createHost();
    editor.setRootElement(host);
    const unregister = [
      registerRichText(editor),
      registerList(editor),
      registerTablePlugin(editor),
    ];

    const binding = createYjsBinding({ editor, id: "main", doc, docMap: new Map([["main", doc]]) });
    const provider: Provider = {
      // y-protocols' types know nothing of the states that Lexical keeps there.
      awareness: awareness as unknown as Provider["awareness"],
      connect() {},
      disconnect() {},
      on() {},
      off() {},
    };
    unregister.push(
      editor.registerUpdateListener((update) => {
        const { prevEditorState, editorState, dirtyElements, dirtyLeaves, normalizedNodes, tags } =
          update;
        if (tags.has("skip-collab")) return;
        syncLexicalUpdateToYjs(
          binding,
          provider,
          prevEditorState,
          editorState,
          dirtyElements,
          dirtyLeaves,
          normalizedNodes,
          tags,
        );
      }),
    );
    function onChange(events: Y.YEvent<Y.Text>[], transaction: Y.Transaction): void {
      if (transaction.origin === binding) return;
      try {
        syncYjsChangesToLexical(binding, provider, events, false, () => {});
      } catch (error) {
        errors.push(error);
      }
    }
    const shared = binding.root.getSharedType();
    shared.observeDeep(onChange);

    const inEditor = (change: (random: Random) => void) => (random: Random) =>
      editor.update(() => change(random), { discrete: true });

    return {
      content: () => editor.getEditorState().toJSON().root,
      write: inEditor($write),
      edit: inEditor($edit),
      type: inEditor($type),
      errors,
      destroy() {
        shared.unobserveDeep(onChange);
        for (const end of unregister) end();
        editor.setRootElement(null);
        host.remove();
      },
    };
  },
};

function $texts(random: Random): TextNode[] {
  return [
    $createTextNode(`${sentence(random)} `),
    $createTextNode(word(random)).toggleFormat(random.pick(["bold", "italic", "code"])),
    $createTextNode(` ${sentence(random)}`),
  ];
}

function $filled<Node extends ElementNode>(node: Node, random: Random): Node {
  return node.append(...$texts(random));
}

function $list(random: Random, depth: number): ListNode {
  const list = $createListNode(random.pick(["bullet", "number", "check"]));
  for (let i = random.integer(2, 4); i > 0; i -= 1) {
    list.append($filled($createListItemNode(), random));
    if (depth > 0 && random.chance(0.5)) {
      list.append($createListItemNode().append($list(random, depth - 1)));
    }
  }
  return list;
}

function $table(random: Random): TableNode {
  const table = $createTableNode();
  const columns = random.integer(2, 4);
  for (let i = random.integer(2, 4); i > 0; i -= 1) {
    const row = $createTableRowNode();
    for (let column = 0; column < columns; column += 1) {
      row.append($createTableCellNode().append($filled($createParagraphNode(), random)));
    }
    table.append(row);
  }
  return table;
}

function $section(random: Random): ElementNode {
  return random.pick<(random: Random) => ElementNode>([
    () => $filled($createParagraphNode(), random),
    () => $filled($createParagraphNode(), random).append($createLineBreakNode(), ...$texts(random)),
    () => $filled($createHeadingNode("h2"), random),
    () => $filled($createQuoteNode(), random),
    () => $list(random, 3),
    () => $list(random, 2),
    $table,
  ])(random);
}

function $write(random: Random): void {
  const root = $getRoot();
  root.splice(random.integer(0, root.getChildrenSize()), 0, [$section(random)]);
}

function $anyText(random: Random): TextNode | undefined {
  const texts = $getRoot().getAllTextNodes();
  return texts[random.integer(0, texts.length - 1)];
}

function $type(random: Random): void {
  const text = $anyText(random);
  if (text === undefined) $write(random);
  else text.spliceText(random.integer(0, text.getTextContentSize()), 0, ` ${word(random)}`);
}

function $erase(random: Random): void {
  const text = $anyText(random);
  if (text === undefined || text.getTextContentSize() < 6) return;
  text.spliceText(random.integer(0, text.getTextContentSize() - 4), 3, "");
}

function $format(random: Random): void {
  const text = $anyText(random);
  const size = text?.getTextContentSize() ?? 0;
  if (text === undefined || size < 8) return;
  const from = random.integer(1, size - 5);
  text.splitText(from, from + 4)[1]?.toggleFormat(random.pick(["bold", "italic"]));
}

/** The block that a text stands in. */
function $block(text: LexicalNode): ElementNode | undefined {
  const parent = text.getParent();
  return $isElementNode(parent) ? parent : undefined;
}

/** Makes a paragraph a heading, a quote a paragraph, and so on. */
function $convert(random: Random): void {
  const text = $anyText(random);
  const block = text && $block(text);
  if (block === undefined || $isListItemNode(block)) return;
  const made = random.pick<() => ElementNode>([
    () => $createHeadingNode("h3"),
    $createQuoteNode,
    $createParagraphNode,
  ])();
  block.replace(made, true);
}

/** What the Enter key does. */
function $split(random: Random): void {
  const text = $anyText(random);
  if (text === undefined) return;
  const at = random.integer(0, text.getTextContentSize());
  text.select(at, at).insertParagraph();
}

function $indent(random: Random): void {
  const text = $anyText(random);
  const block = text && $block(text);
  if ($isListItemNode(block)) block.setIndent(block.getIndent() + 1);
}

function $edit(random: Random): void {
  random.pick([$type, $type, $erase, $format, $format, $convert, $convert, $split, $indent])(
    random,
  );
}
