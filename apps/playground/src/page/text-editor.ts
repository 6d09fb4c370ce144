import { defaultKeymap } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, placeholder } from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type { SharedDocument } from "./shared-document.ts";

/** CodeMirror's own colour for what is selected suits a light page only, and is set by a rule as narrow as this. */
const THEME = EditorView.theme({
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { background: "var(--selection)" },
});

/** Plain text, by CodeMirror. */
export function openTextEditor(
  parent: HTMLElement,
  shared: SharedDocument,
  options: { readonly label: string; readonly readOnly: boolean },
): EditorView {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: shared.text.toString(),
      extensions: [
        keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
        drawSelection(),
        THEME,
        EditorView.lineWrapping,
        placeholder("Type here …"),
        EditorView.contentAttributes.of({ "aria-label": options.label }),
        EditorState.readOnly.of(options.readOnly),
        EditorView.editable.of(!options.readOnly),
        yCollab(shared.text, shared.provider.awareness),
      ],
    }),
  });
}
