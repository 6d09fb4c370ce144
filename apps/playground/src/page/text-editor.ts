import { defaultKeymap } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, placeholder } from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type { SharedDocument } from "./shared-document.ts";

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
