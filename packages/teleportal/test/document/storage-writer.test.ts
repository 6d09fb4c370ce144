import { silentLogger } from "@teleportal/sync-core";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { BackgroundWork } from "../../src/document/background-work.ts";
import { StorageWriter } from "../../src/document/storage-writer.ts";
import { UpdateLog } from "../../src/document/update-log.ts";
import { createGatedStorage } from "../server/gated-storage.ts";
import { updateOf } from "../server/update-of.ts";
import { updatesOf } from "./edited-text.ts";
import { occupy } from "./occupy.ts";

/** A document that stores each keystroke before the next. */
function openDocument() {
  const storage = createGatedStorage();
  const background = new BackgroundWork();
  const log = new UpdateLog();
  const writer = new StorageWriter("doc", storage, 0, silentLogger, background, log);
  const doc = new Y.Doc();
  doc.on("update", (update: Uint8Array) => {
    log.append(new Uint8Array(update));
    writer.write(new Uint8Array(update));
  });
  return {
    background,
    storage,
    writer,
    async type(letters: number): Promise<void> {
      for (let i = 0; i < letters; i++) {
        doc.getText("text").insert(0, "x");
        await writer.saved();
      }
    },
    async pasteAndErase(bytes: number): Promise<void> {
      doc.getText("text").insert(0, "x".repeat(bytes));
      doc.getText("text").delete(0, bytes);
      await writer.saved();
    },
  };
}

test("what is typed is stored while compacting the stored form waits for other documents", async () => {
  const { background, storage, writer, type } = openDocument();
  const release = occupy(background);
  await type(2100);
  expect(storage.count("compact")).toBe(1);
  expect(await storage.storedText("doc")).toBe("x".repeat(2100));
  await release();
  await writer.close();
  expect(await storage.storedText("doc")).toBe("x".repeat(2100));
  expect((await storage.load("doc")).length).toBeLessThan(2100);
});

test("what its document has not come to making compact is not stored as compact", async () => {
  const { storage, writer, pasteAndErase } = openDocument();
  const size = async () => (await storage.load("doc")).reduce((sum, { length }) => sum + length, 0);
  for (let i = 0; i < 11; i++) await pasteAndErase(100_000);
  await expect.poll(size).toBeLessThan(200_000);
  await writer.close();
});

test("closing waits for a compaction under way, and for what is typed during it", async () => {
  const { background, storage, writer, type } = openDocument();
  const compact = storage.hold("compact");
  await type(2100);
  let closed = false;
  const closing = writer.close().then(() => (closed = true));
  // More turns than closing takes.
  await occupy(background)();
  expect(closed).toBe(false);
  expect(storage.count("compact")).toBe(1);
  compact();
  await closing;
  expect(await storage.storedText("doc")).toBe("x".repeat(2100));
});

test("the stored form is compacted once at a time, however much piles up meanwhile", async () => {
  const { storage, writer, type } = openDocument();
  const compact = storage.hold("compact");
  await type(5000);
  expect(storage.count("compact")).toBe(1);
  compact();
  await expect.poll(async () => (await storage.load("doc")).length).toBeLessThan(5000);
  await type(1);
  expect(storage.count("compact")).toBe(2);
  await writer.close();
  expect(await storage.storedText("doc")).toBe("x".repeat(5001));
});

test("what piles up while the stored form is compacted is compacted after it", async () => {
  const { storage, writer, type } = openDocument();
  const compact = storage.hold("compact");
  await type(4200);
  expect(storage.count("compact")).toBe(1);
  compact();
  await expect.poll(() => storage.count("compact")).toBe(2);
  await writer.close();
  expect(await storage.storedText("doc")).toBe("x".repeat(4200));
});

test("a storage that throws, and does not reject, is tried again like any other", async () => {
  const { storage, writer, type } = openDocument();
  const { append } = storage;
  storage.append = () => {
    storage.append = append;
    throw new Error("not ready");
  };
  await type(3);
  await writer.close();
  expect(await storage.storedText("doc")).toBe("xxx");
});

test("an update is stored as it was when it was written, though its buffer is used again", async () => {
  const { storage, writer } = openDocument();
  const update = updateOf("once");
  const buffer = new Uint8Array(update);
  writer.write(buffer);
  buffer.fill(0);
  await writer.saved();
  expect(await storage.load("doc")).toEqual([update]);
});

test("what was typed together is stored as one update", async () => {
  const { storage, writer } = openDocument();
  const updates = updatesOf((text) => {
    for (let i = 0; i < 40; i++) text.insert(i, "x");
  });
  for (const update of updates) {
    expect(writer.crowded).toBe(updates.indexOf(update) >= 32);
    writer.write(update);
  }
  await writer.saved();
  expect(await storage.load("doc")).toHaveLength(1);
  expect(await storage.storedText("doc")).toBe("x".repeat(40));
});

test("a document that cannot be given as a whole is asked again, as a storage that fails is", async () => {
  const storage = createGatedStorage();
  const stored = updateOf("all of it");
  let asked = 0;
  const writer = new StorageWriter("doc", storage, 0, silentLogger, new BackgroundWork(), {
    bloated: false,
    isKnown: () => true,
    updates() {
      asked += 1;
      if (asked === 1) throw new Error("not what Yjs can merge");
      return [stored];
    },
  });
  const works = storage.fail("append");
  writer.write(stored);
  writer.flush();
  await expect.poll(() => storage.count("append")).toBe(1);
  works();
  await writer.saved();
  expect(asked).toBe(2);
  expect(await storage.storedText("doc")).toBe("all of it");
  await writer.close();
});
