import { codeMirror } from "@teleportal/test-editors/codemirror";
import { describeEditor } from "./describe-editor.ts";

describeEditor(codeMirror, {
  usual: [{ bytes: 100_000, style: "parts" }],
  more: [
    { bytes: 50_000, style: "parts" },
    { bytes: 100_000, style: "words" },
    { bytes: 300_000, style: "parts" },
  ],
});
