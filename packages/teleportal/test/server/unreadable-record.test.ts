import { encodeSyncStep1 } from "@teleportal/sync-core";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { outcomeOf } from "./outcome-of.ts";
import { connectRaw } from "./raw-client.ts";
import { receivedUpdates } from "./received-updates.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

const UNREADABLE: readonly (readonly [name: string, record: Uint8Array])[] = [
  ["noise", Uint8Array.from({ length: 300 }, (_, i) => (i * 73 + 201) % 256)],
  ["half an update", updateOf("x".repeat(500)).slice(0, 250)],
  ["an update that Yjs cannot apply", Uint8Array.of(0, 1, 1, 1, 6, 0)],
];

/** The text that a client is given; what became of the client if it is given none. */
async function shownBy(url: string): Promise<unknown> {
  const client = await connectRaw(url, "minutes");
  const outcome = await outcomeOf(client, encodeSyncStep1(Uint8Array.of(0)));
  if (outcome !== "taken") return outcome;
  const doc = new Y.Doc();
  for (const update of receivedUpdates(client.received)) Y.applyUpdate(doc, update);
  return doc.getText("text").toString();
}

describe("a storage that returns a record that cannot be read", () => {
  it.each(UNREADABLE)("%s: the document opens with the others", async (_, record) => {
    const storage = createMemoryDocumentStorage();
    await storage.append("minutes", [updateOf("kept"), record, updateOf("kept")]);
    const { url, log } = await startInstance({ storage });
    expect(await shownBy(url)).toBe("keptkept");
    expect(log.filter((line) => line.startsWith("error"))).toEqual([
      expect.stringContaining("minutes"),
    ]);
  });

  it.each(UNREADABLE)(
    "%s: it is kept as it is, also when the rest is compacted",
    async (...row) => {
      const [, record] = row;
      const storage = createMemoryDocumentStorage();
      const sections = Array.from({ length: 100 }, () => updateOf("x"));
      await storage.append("minutes", [...sections.slice(50), record, ...sections.slice(0, 50)]);
      for (let times = 0; times < 2; times++) {
        const { url, server } = await startInstance({ storage });
        expect(await shownBy(url)).toBe("x".repeat(100));
        await server.close();
        const stored = await storage.load("minutes");
        expect(stored.length).toBeLessThan(50);
        expect(stored.filter((update) => Buffer.compare(update, record) === 0).length).toBe(1);
      }
    },
  );
});
