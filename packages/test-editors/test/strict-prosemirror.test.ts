import { strictProseMirror } from "@teleportal/test-editors/prosemirror";
import { describeEditor } from "./describe-editor.ts";

describeEditor(strictProseMirror, {
  usual: [{ bytes: 150_000, style: "parts" }],
  more: [
    { bytes: 300_000, style: "parts" },
    { bytes: 100_000, style: "words" },
    { bytes: 2_000_000, style: "parts" },
  ],
});
