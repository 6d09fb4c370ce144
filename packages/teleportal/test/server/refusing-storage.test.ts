import { setTimeout as pause } from "node:timers/promises";
import { encodeUpdateFrame } from "@teleportal/sync-core";
import { createKeyValueDocumentStorage } from "teleportal/storage";
import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { createMapStore } from "../storage/storages.ts";
import { connectEditor } from "./connect-editor.ts";
import { createMeasuredStorage } from "./measured-storage.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";
import { updateOf } from "./update-of.ts";

const KILOBYTE = 1000;

/** An image in a map: one value, which cannot be cut. */
function imageOf(size: number): Uint8Array {
  const doc = new Y.Doc();
  doc.getMap("images").set("photo", new Uint8Array(size).fill(7));
  return Y.encodeStateAsUpdate(doc);
}

async function storedDocument(storage: Pick<ReturnType<typeof createMeasuredStorage>, "load">) {
  const doc = new Y.Doc();
  for (const update of await storage.load("doc")) Y.applyUpdate(doc, update);
  return doc;
}

describe("a storage that refuses one value of a document", () => {
  it("has all that comes later, and is not handed the value again and again", async () => {
    const storage = createMeasuredStorage({ largestValue: 20 * KILOBYTE });
    // The document is larger than the value, and holds nothing else that is refused.
    const sections = Array.from({ length: 50 }, (_, i) => updateOf(String(i % 10).repeat(15_000)));
    await storage.append("doc", sections);
    const { url, server } = await startInstance({ storage });
    const [painter, typist] = [await connectRaw(url, "doc"), connectEditor(url, "doc")];
    await Promise.all([painter.fence(), typist.synced]);
    const handedBefore = storage.handedBytes;

    painter.send(encodeUpdateFrame(imageOf(100 * KILOBYTE)));
    await painter.fence();
    // A keystroke now and then, for the three seconds in which a value is tried again most often.
    for (let letters = 1; letters <= 30; letters++) {
      typist.text.insert(0, "x");
      await pause(100);
    }
    await vi.waitFor(async () => {
      const stored = (await storedDocument(storage)).getText("text").toString();
      expect(stored.startsWith("x".repeat(30))).toBe(true);
    }, 2000);
    expect(storage.handedBytes - handedBefore).toBeLessThan(5 * 100 * KILOBYTE);

    await server.close();
    const again = await startInstance({ storage });
    const reader = connectEditor(again.url, "doc");
    await reader.synced;
    expect(reader.text.toString().startsWith("x".repeat(30))).toBe(true);
    expect(reader.text.length).toBe(30 + 50 * 15_000);
  });

  it("has also what came in the same moment", async () => {
    const storage = createMeasuredStorage({ largestValue: 20 * KILOBYTE });
    const { url } = await startInstance({ storage });
    const client = await connectRaw(url, "doc");
    await client.fence();
    for (const update of [updateOf("before "), imageOf(100 * KILOBYTE), updateOf("after")]) {
      client.send(encodeUpdateFrame(update));
    }
    await vi.waitFor(async () => {
      const stored = (await storedDocument(storage)).getText("text").toString();
      expect(["before after", "afterbefore "]).toContain(stored);
    }, 5000);
  });

  it("is not said to work: the log tells of the document and the refusal once", async () => {
    const storage = createMeasuredStorage({ largestValue: 20 * KILOBYTE });
    const { url, log } = await startInstance({ storage });
    const client = await connectRaw(url, "doc");
    client.send(encodeUpdateFrame(imageOf(100 * KILOBYTE)));
    await client.fence();
    for (let i = 0; i < 5; i++) {
      client.send(encodeUpdateFrame(updateOf(`edit ${i} `)));
      await client.fence();
    }
    await vi.waitFor(async () => {
      const stored = (await storedDocument(storage)).getText("text").toString();
      for (let i = 0; i < 5; i++) expect(stored).toContain(`edit ${i}`);
    }, 5000);
    const told = log.filter((line) => line.includes("doc") && line.includes("is too large"));
    expect(told).toEqual([expect.stringMatching(/^error/)]);
  });
});

describe("a key-value store whose put writes some entries and then rejects", () => {
  it("holds everything once it works again, and nothing twice under new keys", async () => {
    const store = createMapStore();
    const state = { failures: 0, failing: true };
    const storage = createKeyValueDocumentStorage(
      {
        ...store,
        async put(entries) {
          if (!state.failing) return store.put(entries);
          state.failures += 1;
          await store.put(entries.slice(0, Math.ceil(entries.length / 2)));
          throw new Error("the connection broke");
        },
      },
      { shared: false },
    );
    const { url, server } = await startInstance({ storage });
    const client = await connectRaw(url, "doc");
    await client.fence();
    // Too large to be put together with others.
    const updates = Array.from({ length: 10 }, (_, i) => updateOf(String(i).repeat(70_000)));
    for (const update of updates) client.send(encodeUpdateFrame(update));
    await client.fence();
    await vi.waitFor(() => expect(state.failures).toBeGreaterThan(2), 5000);
    client.send(encodeUpdateFrame(updateOf("typed meanwhile")));
    await client.fence();
    await vi.waitFor(() => expect(state.failures).toBeGreaterThan(3), 5000);
    state.failing = false;
    await vi.waitFor(async () => {
      expect((await storedDocument(storage)).getText("text").length).toBe(10 * 70_000 + 15);
    }, 10_000);

    const values = [...store.entries.values()];
    const stored = values.reduce((sum, { length }) => sum + length, 0);
    const made = updates.reduce((sum, { length }) => sum + length, 0);
    expect(stored).toBeLessThan(1.1 * made);
    expect(values.length).toBeLessThanOrEqual(updates.length + 1);
    await server.close();
    expect((await storedDocument(storage)).getText("text").length).toBe(10 * 70_000 + 15);
  });
});
