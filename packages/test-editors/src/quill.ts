import "./dom.ts";
import Quill from "quill";
import type { Op } from "quill";
import { QuillBinding } from "y-quill";
import { createHost } from "./dom.ts";
import type { EditorKind } from "./editor.ts";
import { sentence, word } from "./prose.ts";
import type { Random } from "./random.ts";

/** What a line can be, besides a paragraph; one at a time. */
const LINES: [object, ...object[]] = [
  { header: 1 },
  { header: 2 },
  { blockquote: true },
  { "code-block": "plain" },
  { list: "bullet" },
  { list: "ordered" },
  { list: "unchecked" },
  { list: "bullet", indent: 1 },
  { list: "ordered", indent: 2 },
];

/** So many characters at most are formatted or erased at once. */
const LONGEST = 12;

/** Quill: one text, whose lines and words carry formats. */
export const quill: EditorKind = {
  name: "Quill",
  // When two format one line at once, or one erases its end meanwhile, y-quill's editors come to show different things.
  authors: "in turn",
  open(doc, awareness) {
    const host = createHost();
    const editor = new Quill(host);
    const binding = new QuillBinding(doc.getText("quill"), editor, awareness);

    /** The start of any line. */
    function anyLine(random: Random): number {
      const lines = editor.getLines();
      const line = lines[random.integer(0, lines.length - 1)];
      return line === undefined ? 0 : editor.getIndex(line);
    }

    /** Not in the last line: its end is Quill's own, which y-quill does not share. */
    function anywhere(random: Random): number {
      const [last] = editor.getLines().slice(-1);
      return last === undefined ? 0 : random.integer(0, editor.getIndex(last) - LONGEST);
    }

    /** What `anywhere` needs: some lines before the last. */
    function isShort(): boolean {
      return editor.getLength() < 4 * LONGEST;
    }

    function type(random: Random): void {
      if (isShort()) write(random);
      else editor.insertText(anywhere(random), `${word(random)} `, "user");
    }

    function write(random: Random): void {
      const at = anyLine(random);
      const ops: Op[] = at === 0 ? [] : [{ retain: at }];
      const attributes = random.chance(0.2) ? undefined : { ...random.pick(LINES) };
      const isCode = attributes !== undefined && "code-block" in attributes;
      for (let i = random.integer(1, 5); i > 0; i -= 1) {
        ops.push({ insert: `${sentence(random)} ` });
        const format = { [random.pick(["bold", "italic"])]: true };
        if (!isCode) ops.push({ insert: word(random), attributes: format });
        ops.push({ insert: "\n", ...(attributes === undefined ? {} : { attributes }) });
      }
      editor.updateContents(ops, "user");
    }

    function erase(random: Random): void {
      editor.deleteText(anywhere(random), 5, "user");
    }

    function formatWord(random: Random): void {
      const name = random.pick(["bold", "italic", "underline"]);
      const length = random.integer(2, LONGEST);
      editor.formatText(anywhere(random), length, name, random.chance(0.7), "user");
    }

    function formatLine(random: Random): void {
      editor.formatLine(anywhere(random), 1, { ...random.pick(LINES) }, "user");
    }

    return {
      content: () => editor.getContents().ops,
      type,
      write,
      edit(random) {
        if (isShort()) write(random);
        else
          random.pick([type, type, erase, formatWord, formatWord, formatLine, formatLine])(random);
      },
      errors: [],
      destroy() {
        binding.destroy();
        host.remove();
      },
    };
  },
};
