import { tipTap } from "@teleportal/test-editors/tiptap";
import { describeEditor } from "./describe-editor.ts";

describeEditor(tipTap, {
  usual: [{ bytes: 300_000, style: "parts" }],
  more: [
    { bytes: 50_000, style: "parts" },
    { bytes: 100_000, style: "words" },
    { bytes: 2_000_000, style: "parts" },
  ],
});
