import { Editor } from "@tiptap/core";
import { Collaboration } from "@tiptap/extension-collaboration";
import { CollaborationCaret } from "@tiptap/extension-collaboration-caret";
import { StarterKit } from "@tiptap/starter-kit";
import type { Person } from "./person.ts";
import type { SharedDocument } from "./shared-document.ts";

/** Rich text, by TipTap. */
export function openRichTextEditor(
  parent: HTMLElement,
  shared: SharedDocument,
  options: { readonly label: string; readonly readOnly: boolean; readonly person: Person },
): Editor {
  return new Editor({
    element: parent,
    editable: !options.readOnly,
    editorProps: { attributes: { "aria-label": options.label, role: "textbox" } },
    extensions: [
      // Undo is the collaboration's own: it takes back what this person did.
      StarterKit.configure({ undoRedo: false }),
      Collaboration.configure({ fragment: shared.richText }),
      CollaborationCaret.configure({ provider: shared.provider, user: { ...options.person } }),
    ],
  });
}
