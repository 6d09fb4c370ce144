import { createMemoryDocumentStorage } from "teleportal/storage";
import type { DocumentStorage } from "teleportal/storage";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { connectEditor } from "./connect-editor.ts";
import { startInstance } from "./start-instance.ts";
import type { InstanceOptions } from "./start-instance.ts";

/** So much, in so many edits, that it pays to compact what is stored. */
const PARAGRAPHS = 100;
const TEXT = Array.from({ length: PARAGRAPHS }, (_, i) =>
  `Paragraph ${i}, which somebody will want back. `.padEnd(100, "And on it goes. "),
).join("");

/**
 * Has the text written and deleted, and then so much else that the server compacts what it has stored, of which the text is a
 * part from the beginning.
 */
async function writeAndDelete(
  options: InstanceOptions,
  documentId: string,
): Promise<{ before: Y.Snapshot }> {
  const before = await visit(options, documentId, TEXT);
  await visit(options, documentId, TEXT.replaceAll("Paragraph", "Remark"));
  return { before };
}

/** Writes the text in many edits, deletes it, and waits for the server to close. Returns how the document was in between. */
async function visit(
  options: InstanceOptions,
  documentId: string,
  text: string,
): Promise<Y.Snapshot> {
  const { url, server } = await startInstance(options);
  const writer = connectEditor(url, documentId, new Y.Doc({ gc: false }));
  await writer.synced;
  writer.text.delete(0, writer.text.length);
  const length = text.length / PARAGRAPHS;
  for (let i = 0; i < text.length; i += length) writer.text.insert(i, text.slice(i, i + length));
  const between = Y.snapshot(writer.doc);
  writer.text.delete(0, writer.text.length);
  writer.text.insert(0, "what remains");
  const reader = connectEditor(url, documentId);
  await reader.until((shown) => shown === "what remains");
  await server.close();
  return between;
}

/** The text of `before`, as a client that comes after a restart restores it; what remains of it, if it cannot. */
async function restored(
  options: InstanceOptions,
  documentId: string,
  before: Y.Snapshot,
): Promise<string> {
  const { url } = await startInstance(options);
  const client = connectEditor(url, documentId, new Y.Doc({ gc: false }));
  await client.synced;
  expect(client.text.toString()).toBe("what remains");
  return Y.createDocFromSnapshot(client.doc, before).getText("text").toString();
}

async function holdsText(storage: DocumentStorage, documentId: string): Promise<boolean> {
  const updates = await storage.load(documentId);
  expect(updates.length).toBeLessThan(PARAGRAPHS / 2);
  return updates.some((update) => Buffer.from(update).includes("Paragraph 7, which somebody"));
}

describe("a server that keeps deleted content", () => {
  it("lets a client restore what was deleted, after compacting and a restart", async () => {
    const options = { storage: createMemoryDocumentStorage(), keepDeletedContent: true };
    const { before } = await writeAndDelete(options, "doc");
    expect(await holdsText(options.storage, "doc")).toBe(true);
    expect(await restored(options, "doc", before)).toBe(TEXT);
  });

  it("keeps it after more restarts, and gives it to clients that collect garbage", async () => {
    const options = { storage: createMemoryDocumentStorage(), keepDeletedContent: true };
    const { before } = await writeAndDelete(options, "doc");
    await restored(options, "doc", before);
    const { url } = await startInstance(options);
    const ordinary = connectEditor(url, "doc");
    await ordinary.synced;
    expect(ordinary.text.toString()).toBe("what remains");
    expect(await restored(options, "doc", before)).toBe(TEXT);
  });

  it("does so for the documents that it is asked to", async () => {
    const options = {
      storage: createMemoryDocumentStorage(),
      keepDeletedContent: ({ room }: { readonly room: string | undefined }) => room === "archive",
    };
    const kept = await writeAndDelete(options, "archive/doc");
    const other = await writeAndDelete(options, "drafts/doc");
    expect(await restored(options, "archive/doc", kept.before)).toBe(TEXT);
    expect(await restored(options, "drafts/doc", other.before)).not.toContain("Paragraph");
    expect(await holdsText(options.storage, "drafts/doc")).toBe(false);
  });
});

describe("a server that is not told to keep deleted content", () => {
  it("has none of it in the stored form once that is compacted", async () => {
    const options = { storage: createMemoryDocumentStorage() };
    const { before } = await writeAndDelete(options, "doc");
    expect(await holdsText(options.storage, "doc")).toBe(false);
    expect(await restored(options, "doc", before)).not.toContain("Paragraph");
  });
});
