import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { connectEditor, untilSyncedAgain } from "./connect-editor.ts";
import { createMeasuredStorage } from "./measured-storage.ts";
import type { MeasuredStorage } from "./measured-storage.ts";
import { connectRaw } from "./raw-client.ts";
import type { RawClient } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";

/** A document in which every other of 7,000 letters was deleted, one by one: its deletions never touch. */
function muchEdited(): Y.Doc {
  const doc = new Y.Doc();
  const text = doc.getText("text");
  for (let i = 0; i < 3500; i++) {
    text.insert(text.length, "ab");
    text.delete(text.length - 1, 1);
  }
  return doc;
}

function bytesOfUpdates({ received }: RawClient): number {
  return received.reduce(
    (sum, { bytes, read }) => sum + (read.type === "update" ? bytes.length : 0),
    0,
  );
}

async function storedText(storage: MeasuredStorage): Promise<string> {
  const doc = new Y.Doc();
  for (const update of await storage.load("doc")) Y.applyUpdate(doc, update);
  return doc.getText("text").toString();
}

/** A writer with many deletions, and a reader, both connected; the storage holds what they do. */
async function startEdited() {
  const storage = createMeasuredStorage();
  const instance = await startInstance({ storage });
  const writer = connectEditor(instance.url, "doc", muchEdited());
  await writer.synced;
  const { clients } = Y.createDeleteSetFromStructStore(writer.doc.store);
  expect([...clients.values()].flat().length).toBeGreaterThan(3000);
  const before = writer.text.toString();
  await vi.waitFor(async () => expect(await storedText(storage)).toBe(before));
  const reader = await connectRaw(instance.url, "doc");
  await reader.fence();
  return { ...instance, storage, writer, reader };
}

describe("a writer whose document has thousands of deletions", () => {
  it("types one letter offline, and it costs the others and the storage a letter", async () => {
    const { server, storage, writer, reader } = await startEdited();
    const [received, handed] = [bytesOfUpdates(reader), storage.handedBytes];
    writer.provider.disconnect();
    writer.text.insert(10, "x");
    const again = untilSyncedAgain(writer);
    writer.provider.connect();
    await again;
    // What comes behind it shows that nothing else is on its way.
    writer.text.insert(11, "y");
    const text = writer.text.toString();
    await vi.waitFor(async () => expect(await storedText(storage)).toBe(text));
    const updates = (): number =>
      reader.received.filter(({ read }) => read.type === "update").length;
    await vi.waitFor(() => expect(updates()).toBeGreaterThan(1));
    expect(bytesOfUpdates(reader) - received).toBeLessThanOrEqual(200);
    await server.close();
    expect(storage.handedBytes - handed).toBeLessThanOrEqual(200);
  });

  it("deletes one letter offline, and that arrives as well, as one deletion", async () => {
    const { url, storage, writer, reader } = await startEdited();
    const [received, handed] = [bytesOfUpdates(reader), storage.handedBytes];
    writer.provider.disconnect();
    writer.text.delete(10, 1);
    writer.provider.connect();
    await vi.waitFor(async () => expect((await storedText(storage)).length).toBe(3499));
    const late = connectEditor(url, "doc");
    await late.synced;
    expect(late.text.toString()).toBe(writer.text.toString());
    await reader.first("update");
    expect(bytesOfUpdates(reader) - received).toBeLessThanOrEqual(200);
    expect(storage.handedBytes - handed).toBeLessThanOrEqual(200);
  });

  it("comes back with nothing new, and nobody is sent or handed anything", async () => {
    const { server, storage, writer, reader } = await startEdited();
    const [received, handed] = [bytesOfUpdates(reader), storage.handedBytes];
    writer.provider.disconnect();
    const again = untilSyncedAgain(writer);
    writer.provider.connect();
    await again;
    writer.text.insert(0, "fence");
    await reader.first("update");
    await server.close();
    expect(bytesOfUpdates(reader) - received).toBeLessThan(100);
    expect(storage.handedBytes - handed).toBeLessThan(100);
  });
});
