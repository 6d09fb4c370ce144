import { encodeSyncStep2, encodeUpdateFrame } from "@teleportal/sync-core";
import { CloseCode } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import type { DocumentStorage } from "teleportal/storage";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { connectEditor } from "./connect-editor.ts";
import { outcomeOf } from "./outcome-of.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";
import { joinedBytes } from "./struct-bytes.ts";
import { updateOf } from "./update-of.ts";

function v2UpdateOf(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, text);
  return Y.encodeStateAsUpdateV2(doc);
}

/** What Yjs's own decoder takes for an update of nothing, or for the update before the trailing bytes. */
const REFUSED: readonly (readonly [name: string, update: Uint8Array])[] = [
  ["an update in Yjs's V2 format", v2UpdateOf("from a newer client")],
  ["an update with a byte behind it", joinedBytes(updateOf("x"), Uint8Array.of(0))],
  ["two updates, one behind the other", joinedBytes(updateOf("x"), updateOf("y"))],
];

describe("a client that sends", () => {
  it.each(REFUSED)("%s is closed with 1007, and nobody has seen it", async (_, update) => {
    const { url } = await startInstance();
    const [bad, witness] = [await connectRaw(url, "doc"), await connectRaw(url, "doc")];
    await witness.fence();
    expect(await outcomeOf(bad, encodeUpdateFrame(update))).toEqual({
      code: CloseCode.malformed,
      reason: "malformed update",
    });
    await witness.fence();
    expect(witness.received.filter(({ read }) => read.type === "update")).toEqual([]);
  });

  it.each(REFUSED)("%s as its whole document is closed for good", async (_, update) => {
    const { url, server } = await startInstance();
    const bad = await connectRaw(url, "doc");
    expect(await outcomeOf(bad, encodeSyncStep2(update))).toMatchObject({ code: 4422 });
    expect(server.snapshot().counters.clientsRefused).toBe(1);
    const late = connectEditor(url, "doc");
    await late.synced;
    expect(late.text.toString()).toBe("");
  });
});

/** How often exactly these bytes are stored. */
async function countStored(storage: DocumentStorage, bytes: Uint8Array): Promise<number> {
  const updates = await storage.load("minutes");
  return updates.filter((update) => Buffer.compare(update, bytes) === 0).length;
}

describe("a V2 update in the storage", () => {
  it("leaves the document open with the rest, and an error names it", async () => {
    const storage = createMemoryDocumentStorage();
    await storage.append("minutes", [updateOf("kept"), v2UpdateOf("foreign")]);
    const { url, log } = await startInstance({ storage });
    const reader = connectEditor(url, "minutes");
    await reader.synced;
    expect(reader.text.toString()).toBe("kept");
    const errors = log.filter((line) => line.startsWith("error"));
    expect(errors).toEqual([expect.stringContaining("minutes")]);
    expect(errors.join()).toMatch(/V2|not a V1 update/);
  });

  it("is still there, unchanged, after compacting and opening again", async () => {
    const storage = createMemoryDocumentStorage();
    const foreign = v2UpdateOf("foreign");
    const sections = Array.from({ length: 100 }, (_, i) => updateOf(`section ${i}. `));
    await storage.append("minutes", [...sections.slice(50), foreign, ...sections.slice(0, 50)]);
    for (let times = 0; times < 2; times++) {
      const { url, server } = await startInstance({ storage });
      const reader = connectEditor(url, "minutes");
      await reader.synced;
      expect(reader.text.toString()).toContain("section 99. ");
      await server.close();
      expect((await storage.load("minutes")).length).toBeLessThan(50);
      expect(await countStored(storage, foreign)).toBe(1);
    }
  });
});
