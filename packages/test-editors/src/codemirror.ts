import "./dom.ts";
import { EditorState } from "@codemirror/state";
import type { ChangeSpec } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { yCollab } from "y-codemirror.next";
import { createHost } from "./dom.ts";
import type { EditorKind } from "./editor.ts";
import { sentence, word } from "./prose.ts";
import type { Random } from "./random.ts";

/** CodeMirror 6: plain text, in which nothing can be invalid, but a text can differ. */
export const codeMirror: EditorKind = {
  name: "CodeMirror",
  open(doc, awareness) {
    const text = doc.getText("codemirror");
    const host = createHost();
    const view = new EditorView({
      parent: host,
      state: EditorState.create({ doc: text.toString(), extensions: [yCollab(text, awareness)] }),
    });

    function change(changes: ChangeSpec): void {
      view.dispatch({ changes });
    }

    function type(random: Random): void {
      change({ from: random.integer(0, view.state.doc.length), insert: ` ${word(random)}` });
    }

    function write(random: Random): void {
      const { from } = view.state.doc.line(random.integer(1, view.state.doc.lines));
      const lines = Array.from({ length: random.integer(5, 20) }, () => `${sentence(random)}\n`);
      change({ from, insert: lines.join("") });
    }

    /** Two places at once, as a search that replaces does. */
    function replace(random: Random): void {
      const { length } = view.state.doc;
      if (length < 40) return;
      const at = random.integer(0, length - 40);
      change([
        { from: at, to: at + 5, insert: word(random) },
        { from: at + 20, to: at + 30 },
      ]);
    }

    return {
      content: () => view.state.doc.toString(),
      type,
      write,
      edit(random) {
        random.pick([type, type, replace])(random);
      },
      errors: [],
      destroy() {
        view.destroy();
        host.remove();
      },
    };
  },
};
