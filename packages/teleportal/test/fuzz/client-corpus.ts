import {
  encodeAwarenessFrame,
  encodePermissionDenied,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import * as Y from "yjs";
import { MAX_DEPTH } from "../../src/yjs-v1/json.ts";
import {
  ContentRef,
  nestedJson,
  stringBytes,
  structBytes,
  typedBytes,
  updateBytes,
} from "../server/struct-bytes.ts";
import type { Section } from "../server/struct-bytes.ts";

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
  text.insertEmbed(3, { image: "a.png", size: [1, 2] });
  text.format(0, 6, { bold: null, link: { href: 'https://example.com/?a="b"' } });
  const paragraph = new Y.XmlElement("p");
  doc.getXmlFragment("xml").insert(0, [paragraph]);
  paragraph.setAttribute("align", "left");
  paragraph.insert(0, [new Y.XmlText("deleted")]);
  doc.getXmlFragment("xml").delete(0, 1);
  const other = new Y.Doc();
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc));
  other.getText("text").insert(4, "by somebody else");
  const offline = Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc));
  const awareness = new TextEncoder().encode('{"user":{"name":"A"}}');
  const presence = Uint8Array.of(2, 7, 1, awareness.length, ...awareness, 8, 3, 2, 123, 125);
  return [
    encodeSyncStep1(Y.encodeStateVector(doc)),
    encodeSyncStep2(Y.encodeStateAsUpdate(doc)),
    encodeAwarenessFrame(presence),
    Uint8Array.of(3),
    encodePermissionDenied("no"),
    encodeSyncStep2(offline),
    encodeSyncStep2(Y.encodeStateAsUpdateV2(doc)),
    encodeUpdateFrame(Y.mergeUpdates([updates[0], updates[3], offline].filter(isUpdate))),
    ...[MAX_DEPTH - 1, 6 * MAX_DEPTH].map((levels) => encodeUpdateFrame(nested(levels))),
    encodeUpdateFrame(updateBytes([letterBy(3), letterBy(8)])),
    encodeUpdateFrame(updateBytes([letterBy(8), letterBy(8)])),
    ...updates.map((update) => encodeUpdateFrame(new Uint8Array(update))),
  ];
}

function isUpdate(update: Uint8Array | undefined): update is Uint8Array {
  return update !== undefined;
}

/** An embed so many levels deep. */
function nested(levels: number): Uint8Array {
  const embed = structBytes(ContentRef.embed, { root: "text" }, stringBytes(nestedJson(levels)));
  return updateBytes([{ client: 5, clock: 0, structs: [embed] }]);
}

function letterBy(client: number): Section {
  return { client, clock: 0, structs: [typedBytes("x", { root: "text" })] };
}
