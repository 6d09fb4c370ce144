import { sentence } from "@teleportal/test-editors/prose";
import { openProseMirror } from "@teleportal/test-editors/prosemirror";
import { createRandom } from "@teleportal/test-editors/random";
import type { EditorKind } from "@teleportal/test-editors/editor";
import type { Random } from "@teleportal/test-editors/random";
import type { WrittenDocument } from "@teleportal/test-editors/write-together";
import { setBlockType } from "prosemirror-commands";
import { schema } from "prosemirror-schema-basic";
import { TextSelection } from "prosemirror-state";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { fromDisk, justTyped } from "./situations.ts";
import { startPlainServer } from "./start-plain-server.ts";

/** How much text stands before the quote, and how much is written behind it afterwards, in bytes: the server compacts the document then. */
const BEFORE_BYTES = 50_000;
const BEHIND_BYTES = 100_000;

const basic: EditorKind = {
  name: "ProseMirror with the basic schema",
  open: (doc) => openProseMirror(doc, schema, paragraph),
};

function paragraph(random: Random) {
  return { type: "paragraph", content: [{ type: "text", text: sentence(random, 80) }] };
}

function paragraphs(random: Random, size: number): object[] {
  const made: object[] = [];
  for (let bytes = 0; bytes < size;) {
    const one = paragraph(random);
    made.push(one);
    bytes += JSON.stringify(one).length;
  }
  return made;
}

/** One session writes it all, but another makes a heading of what is in the quote. */
function quoteWithHeading(): WrittenDocument {
  const random = createRandom(1);
  const doc = new Y.Doc();
  doc.clientID = 1000;
  const sent: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => sent.push(update));
  const { view, content, destroy } = openProseMirror(doc, schema, paragraph);
  function append(parts: readonly object[]): void {
    for (const part of parts) {
      const { tr, doc: before } = view.state;
      view.dispatch(tr.insert(before.content.size, schema.nodeFromJSON(part)));
    }
  }
  append(paragraphs(random, BEFORE_BYTES));
  append([{ type: "blockquote", content: [paragraph(random)] }]);
  doc.clientID = 2000;
  let quoted = 0;
  view.state.doc.forEach((node, position) => {
    if (node.type.name === "blockquote") quoted = position + 2;
  });
  view.dispatch(view.state.tr.setSelection(TextSelection.create(view.state.doc, quoted)));
  setBlockType(schema.nodes.heading, { level: 2 })(view.state, view.dispatch.bind(view));
  doc.clientID = 1000;
  append(paragraphs(random, BEHIND_BYTES));
  const written: WrittenDocument = {
    kind: basic,
    chapters: sent.map((update) => [[[update]]]),
    state: Y.encodeStateAsUpdate(doc),
    content: content(),
  };
  destroy();
  return written;
}

describe("a quote with a heading in it, among 150 KB of paragraphs", () => {
  const written = quoteWithHeading();

  it("is there to be lost", () => {
    expect(written.state.length).toBeGreaterThan(0.9 * (BEFORE_BYTES + BEHIND_BYTES));
    expect(JSON.stringify(written.content)).toContain(
      '{"type":"blockquote","content":[{"type":"heading"',
    );
  });

  it("is there for everybody when the document was loaded from disk", async () => {
    await fromDisk(written);
  });

  it("is there for everybody on a plain y-websocket server", async () => {
    await justTyped(written, await startPlainServer());
  });
});
