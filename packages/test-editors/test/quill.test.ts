import { quill } from "@teleportal/test-editors/quill";
import { describeEditor } from "./describe-editor.ts";

describeEditor(quill, {
  usual: [{ bytes: 72_000, style: "parts" }],
  more: [
    { bytes: 50_000, style: "parts" },
    { bytes: 100_000, style: "words" },
  ],
});
