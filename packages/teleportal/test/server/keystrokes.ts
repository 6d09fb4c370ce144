import { encodeUpdateFrame } from "@teleportal/sync-core";
import * as Y from "yjs";

/** So many letters, each as the frame of its update. */
export function keystrokes(count: number): Uint8Array[] {
  const doc = new Y.Doc();
  const frames: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => void frames.push(encodeUpdateFrame(update)));
  for (let i = 0; i < count; i++) doc.getText("text").insert(i, "x");
  return frames;
}
