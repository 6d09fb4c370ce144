import { proseMirror } from "@teleportal/test-editors/prosemirror";
import { describeEditor } from "./describe-editor.ts";

describeEditor(proseMirror, {
  usual: [
    { bytes: 80_000, style: "words" },
    { bytes: 300_000, style: "parts" },
  ],
  more: [
    { bytes: 50_000, style: "parts" },
    { bytes: 2_000_000, style: "parts" },
  ],
});
