import {
  encodeAwarenessFrame,
  encodePermissionDenied,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import * as Y from "yjs";

/** What good clients send: every kind of frame, and every kind of content that Yjs has. */
export function clientCorpus(): readonly [Uint8Array, ...Uint8Array[]] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => void updates.push(update));
  const text = doc.getText("text");
  for (const letter of "fuzz") text.insert(text.length, letter);
  text.insert(2, "pasted 🙂 at once", { bold: true });
  text.delete(1, 3);
  const map = doc.getMap<unknown>("map");
  map.set("json", { nested: [1, null, true, 1.5, "x", 2n ** 40n] });
  map.set("json", new Uint8Array([1, 2, 3]));
  map.set("type", new Y.Array());
  doc.getArray<unknown>("array").push([1, "two", { three: 3 }, new Y.Map([["a", 1]])]);
  doc.getXmlFragment("xml").push([new Y.XmlElement("p"), new Y.XmlText("text")]);
  map.set("sub", new Y.Doc({ guid: "sub" }));
  const undo = new Y.UndoManager(text);
  text.insert(0, "undone");
  undo.undo();
  const awareness = new TextEncoder().encode('{"user":{"name":"A"}}');
  const presence = Uint8Array.of(2, 7, 1, awareness.length, ...awareness, 8, 3, 2, 123, 125);
  return [
    encodeSyncStep1(Y.encodeStateVector(doc)),
    encodeSyncStep2(Y.encodeStateAsUpdate(doc)),
    encodeAwarenessFrame(presence),
    Uint8Array.of(3),
    encodePermissionDenied("no"),
    ...updates.map((update) => encodeUpdateFrame(new Uint8Array(update))),
  ];
}
