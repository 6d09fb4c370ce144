import type { Logger } from "@teleportal/sync-core";
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import * as Y from "yjs";
import { BackgroundWork } from "../../src/document/background-work.ts";
import { Journal } from "../../src/storage/journal.ts";
import type { JournalSettings } from "../../src/storage/journal.ts";
import { updatesOf } from "../document/edited-text.ts";
import { occupy } from "../document/occupy.ts";
import { createGatedStorage } from "../server/gated-storage.ts";
import { updateOf } from "../server/update-of.ts";
import { createRefusingStorage } from "./refusing-storage.ts";

function createLog() {
  const lines: string[] = [];
  const note = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger: Logger = {
    trace: note("trace"),
    debug: note("debug"),
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  };
  return { lines, logger };
}

function openJournal(settings: Pick<JournalSettings, "storage"> & Partial<JournalSettings>) {
  const { lines, logger } = createLog();
  const onStored = vi.fn<() => void>();
  const background = new BackgroundWork();
  const journal = new Journal({
    documentId: "doc",
    stored: [],
    deletedContent: "removed",
    logger,
    background,
    onStored,
    ...settings,
  });
  return { background, journal, lines, onStored };
}

/** A journal to which somebody types, each keystroke once the one before it is stored. */
function openTyped(settings: Partial<JournalSettings> = {}) {
  const storage = createGatedStorage();
  const { background, journal, lines } = openJournal({ storage, ...settings });
  const doc = new Y.Doc();
  doc.on("update", (update: Uint8Array) => journal.write(update));
  return {
    background,
    storage,
    journal,
    lines,
    async type(letters: number): Promise<void> {
      for (let i = 0; i < letters; i++) {
        doc.getText("text").insert(0, "x");
        await journal.saved();
      }
    },
    async pasteAndErase(bytes: number): Promise<void> {
      doc.getText("text").insert(0, "x".repeat(bytes));
      doc.getText("text").delete(0, bytes);
      await journal.saved();
    },
  };
}

describe("the stored form of a document", () => {
  it("is written while compacting it waits for other documents", async () => {
    const { background, storage, journal, type } = openTyped();
    const release = occupy(background);
    await type(2100);
    expect(storage.count("compact")).toBe(1);
    expect(await storage.storedText("doc")).toBe("x".repeat(2100));
    await release();
    await journal.close();
    expect(await storage.storedText("doc")).toBe("x".repeat(2100));
    expect((await storage.load("doc")).length).toBeLessThan(2100);
  });

  it("has none of what was pasted and erased, however much", async () => {
    const { storage, journal, pasteAndErase } = openTyped();
    const size = async (): Promise<number> =>
      (await storage.load("doc")).reduce((sum, { length }) => sum + length, 0);
    for (let i = 0; i < 11; i++) await pasteAndErase(100_000);
    await expect.poll(size).toBeLessThan(200_000);
    await journal.close();
  });

  it("has all of that if deleted content is kept", async () => {
    const { storage, journal } = openTyped({ deletedContent: "kept" });
    const doc = new Y.Doc({ gc: false });
    for (let i = 0; i < 70; i++) {
      doc.getText("text").insert(0, `secret ${i} `);
      doc.getText("text").delete(0, doc.getText("text").length);
      journal.write(Y.encodeStateAsUpdate(doc));
      await journal.saved();
    }
    await journal.close();
    const stored = await storage.load("doc");
    // What is deleted stands in a record of its own.
    expect(stored).toHaveLength(2);
    expect(Buffer.concat(stored).toString("latin1")).toContain("secret 33 ");
  });

  it("is compacted once at a time, however much piles up meanwhile", async () => {
    const { storage, journal, type } = openTyped();
    const compact = storage.hold("compact");
    await type(5000);
    expect(storage.count("compact")).toBe(1);
    compact();
    await expect.poll(async () => (await storage.load("doc")).length).toBeLessThan(5000);
    await type(1);
    expect(storage.count("compact")).toBe(2);
    await journal.close();
    expect(await storage.storedText("doc")).toBe("x".repeat(5001));
  });

  it("is compacted again for what has piled up meanwhile", async () => {
    const { storage, journal, type } = openTyped();
    const compact = storage.hold("compact");
    await type(4200);
    expect(storage.count("compact")).toBe(1);
    compact();
    await expect.poll(() => storage.count("compact")).toBe(2);
    await journal.close();
    expect(await storage.storedText("doc")).toBe("x".repeat(4200));
  });

  it("is compacted at the close if it was found in many records, and not for a few", async () => {
    for (const [records, compactions] of [
      [10, 0],
      [100, 1],
    ] as const) {
      const storage = createGatedStorage();
      const { journal } = openJournal({ storage, stored: Array(records).fill(updateOf("x")) });
      await journal.close();
      expect(storage.count("compact")).toBe(compactions);
    }
  });

  it("is what it was when compacting it fails, which is told and tried again later", async () => {
    const { storage, journal, lines, type } = openTyped();
    const works = storage.fail("compact");
    await type(2100);
    await expect
      .poll(() => lines)
      .toEqual([expect.stringMatching(/^warn .* compacting doc failed/)]);
    works();
    await type(2100);
    await journal.close();
    expect(storage.count("compact")).toBeGreaterThan(1);
    expect((await storage.load("doc")).length).toBeLessThan(100);
    expect(await storage.storedText("doc")).toBe("x".repeat(4200));
    expect(lines).toHaveLength(1);
  });
});

describe("closing", () => {
  it("waits for a compaction under way, and for what is typed during it", async () => {
    const { background, storage, journal, type } = openTyped();
    const compact = storage.hold("compact");
    await type(2100);
    let closed = false;
    const closing = journal.close().then(() => (closed = true));
    // More turns than closing takes.
    await occupy(background)();
    expect(closed).toBe(false);
    expect(storage.count("compact")).toBe(1);
    compact();
    await closing;
    expect(await storage.storedText("doc")).toBe("x".repeat(2100));
  });

  it("stores what was written and is not stored yet", async () => {
    const storage = createGatedStorage();
    const { journal } = openJournal({ storage });
    const append = storage.hold("append");
    journal.write(updateOf("one "));
    journal.flush();
    journal.write(updateOf("two "));
    const closing = journal.close();
    append();
    await closing;
    expect((await storage.storedText("doc")).length).toBe(8);
  });

  it("tries once more what was refused, and is heard when that is stored", async () => {
    const storage = createGatedStorage();
    const { journal, lines, onStored } = openJournal({ storage });
    const works = storage.fail("append");
    journal.write(updateOf("kept"));
    journal.flush();
    await expect.poll(() => lines.length).toBe(1);
    works();
    await journal.close();
    expect(await storage.storedText("doc")).toBe("kept");
    expect(onStored).toHaveBeenCalledOnce();
    expect(lines).toEqual([
      expect.stringMatching(/^error .* storing doc failed/),
      expect.stringMatching(/^info .* storing doc works again/),
    ]);
  });

  it("says what is lost if that is refused as well, and keeps nobody waiting", async () => {
    const storage = createGatedStorage();
    const { journal, lines } = openJournal({ storage });
    storage.fail("append");
    journal.write(updateOf("lost"));
    const saved = journal.saved();
    await journal.close();
    await saved;
    expect(lines.at(-1)).toMatch(/^error .* doc is closed with edits that its storage has refused/);
    expect(storage.count("append")).toBe(2);
  });
});

test("a storage that throws, and does not reject, is tried again like any other", async () => {
  const { storage, journal, type } = openTyped();
  const { append } = storage;
  storage.append = () => {
    storage.append = append;
    throw new Error("not ready");
  };
  await type(3);
  await journal.close();
  expect(await storage.storedText("doc")).toBe("xxx");
});

test("an update is stored as it was when it was written, though its buffer is used again", async () => {
  const { storage, journal } = openTyped();
  const update = updateOf("once");
  const buffer = new Uint8Array(update);
  journal.write(buffer);
  buffer.fill(0);
  await journal.saved();
  expect(await storage.load("doc")).toEqual([update]);
});

test("what was typed together is stored as one record", async () => {
  const { storage, journal } = openTyped();
  const updates = updatesOf((text) => {
    for (let i = 0; i < 40; i++) text.insert(i, "x");
  });
  for (const update of updates) {
    expect(journal.crowded).toBe(updates.indexOf(update) >= 32);
    journal.write(update);
  }
  await journal.saved();
  expect(await storage.load("doc")).toHaveLength(1);
  expect(await storage.storedText("doc")).toBe("x".repeat(40));
});

test("no record is larger for what it is put together with than storages take", async () => {
  const { storage, journal } = openTyped();
  for (let i = 0; i < 10; i++) journal.write(updateOf("x".repeat(20_000)));
  await journal.saved();
  const records = await storage.load("doc");
  expect(records).toHaveLength(5);
  for (const { length } of records) expect(length).toBeLessThan(48 * 1024);
  expect((await storage.storedText("doc")).length).toBe(200_000);
});

test("says that all is stored whenever it is, and is settled from then on", async () => {
  const storage = createGatedStorage();
  const { journal, onStored } = openJournal({ storage });
  expect(journal.settled).toBe(true);
  const append = storage.hold("append");
  journal.write(updateOf("one "));
  expect(journal.settled).toBe(false);
  journal.flush();
  await expect.poll(() => storage.count("append")).toBe(1);
  journal.write(updateOf("two "));
  journal.flush();
  expect(journal.settled).toBe(false);
  append();
  await journal.saved();
  expect(journal.settled).toBe(true);
  expect(onStored).toHaveBeenCalledOnce();
  expect(storage.count("append")).toBe(2);
});

describe("a peer's edits", () => {
  const letters = updatesOf((text) => {
    for (let i = 0; i < 10; i++) text.insert(i, "x");
  });

  function openKeeping() {
    const storage = createGatedStorage();
    const opened = openJournal({ storage });
    for (const update of letters) opened.journal.keep("peer", update);
    return { storage, ...opened };
  }

  it("are not stored here, and nothing waits for them", async () => {
    const { storage, journal } = openKeeping();
    expect(journal.settled).toBe(true);
    await journal.saved();
    expect(storage.count("append")).toBe(0);
  });

  it("are forgotten once the peer has stored them", async () => {
    const { storage, journal } = openKeeping();
    journal.confirmed("peer");
    journal.abandoned("peer");
    journal.abandonedByAll();
    await journal.close();
    expect(storage.count("append")).toBe(0);
  });

  it("are stored here if the peer is gone before it has, and as they were when they came", async () => {
    const storage = createGatedStorage();
    const { journal } = openJournal({ storage });
    const buffer = new Uint8Array(100);
    for (const update of letters) {
      buffer.set(update);
      journal.keep("peer", buffer.subarray(0, update.length));
    }
    buffer.fill(0);
    journal.abandoned("peer");
    await journal.saved();
    expect(await storage.storedText("doc")).toBe("x".repeat(10));
    expect(await storage.load("doc")).toHaveLength(1);
  });

  it("of another peer stay what they are", async () => {
    const { storage, journal } = openKeeping();
    journal.keep("other", updateOf("other"));
    journal.abandoned("other");
    await journal.saved();
    expect(await storage.storedText("doc")).toBe("other");
    journal.confirmed("other");
    journal.abandoned("peer");
    await journal.saved();
    expect((await storage.storedText("doc")).length).toBe(15);
  });

  it("are stored here when the document is closed, of whichever peer they are", async () => {
    const { storage, journal } = openKeeping();
    journal.keep("other", updateOf("other"));
    journal.abandonedByAll();
    await journal.close();
    expect((await storage.storedText("doc")).length).toBe(15);
  });

  it("are stored here as well when so much waits that it would take too much memory", async () => {
    const { storage, journal } = openKeeping();
    for (let i = 0; i < 10; i++) journal.keep("peer", updateOf("y".repeat(20_000)));
    expect(storage.count("append")).toBe(0);
    for (let i = 0; i < 5; i++) journal.keep("peer", updateOf("y".repeat(20_000)));
    await journal.saved();
    // What came behind that waits for the peer again.
    expect((await storage.storedText("doc")).length).toBe(10 + 14 * 20_000);
    journal.abandoned("peer");
    await journal.saved();
    expect((await storage.storedText("doc")).length).toBe(10 + 15 * 20_000);
  });
});

describe("what the storage refuses", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const isLarge = ({ length }: Uint8Array): boolean => length > 20_000;
  const never = (): boolean => false;
  const always = (): boolean => true;

  function openRefused(refuses: (record: Uint8Array) => boolean) {
    const storage = createRefusingStorage();
    storage.refuses = refuses;
    const opened = openJournal({ storage });
    const { journal } = opened;
    return {
      storage,
      ...opened,
      async write(...updates: readonly Uint8Array[]): Promise<void> {
        for (const update of updates) journal.write(update);
        journal.flush();
        await vi.advanceTimersByTimeAsync(0);
      },
    };
  }

  it("is tried again with growing delays of at most ten seconds, until it is stored", async () => {
    const { storage, journal, write } = openRefused(always);
    await write(updateOf("x"));
    const waited: number[] = [];
    for (let tries = 1; tries < 9; tries++) {
      const since = performance.now();
      while (storage.handed.length === tries) await vi.advanceTimersByTimeAsync(10);
      waited.push(Math.round((performance.now() - since) / 100) * 100);
    }
    expect(waited).toEqual([300, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    storage.refuses = never;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(journal.settled).toBe(true);
    expect(await storage.storedText("doc")).toBe("x");
    // Once it works, the next trouble begins anew.
    storage.refuses = always;
    await write(updateOf("y"));
    const { length } = storage.handed;
    await vi.advanceTimersByTimeAsync(300);
    expect(storage.handed.length).toBe(length + 1);
  });

  it("is handed over as the same objects each time, so that it can be kept under the same keys", async () => {
    const { storage, write } = openRefused(always);
    await write(updateOf("x".repeat(30_000)), updateOf("y".repeat(30_000)));
    const [first] = storage.handed;
    expect(first).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(5000);
    const again = storage.handed.slice(1);
    expect(again.length).toBeGreaterThan(4);
    for (const records of again) {
      expect(records).toHaveLength(1);
      expect(first?.some((record) => record === records[0])).toBe(true);
    }
  });

  it("is tried within a second when something new is written, however long it has failed", async () => {
    const { storage, journal, write } = openRefused(always);
    await write(updateOf("x"));
    await vi.advanceTimersByTimeAsync(20_000);
    const { length } = storage.handed;
    storage.refuses = never;
    await write(updateOf("y"));
    expect(storage.handed.length).toBe(length);
    await vi.advanceTimersByTimeAsync(1001);
    expect(journal.settled).toBe(true);
    expect((await storage.storedText("doc")).length).toBe(2);
  });

  it("keeps nothing else back, whether it came before, at the same time or after", async () => {
    const { storage, journal, write } = openRefused(isLarge);
    await write(updateOf("1"), updateOf("x".repeat(30_000)), updateOf("2"));
    await vi.advanceTimersByTimeAsync(1000);
    await write(updateOf("3"));
    await vi.advanceTimersByTimeAsync(1001);
    await write(updateOf("4"));
    await vi.advanceTimersByTimeAsync(1001);
    // What was put together with it is too large as well.
    const stored = await storage.storedText("doc");
    for (const digit of "34") expect(stored).toContain(digit);
    expect(journal.settled).toBe(false);
    storage.refuses = never;
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await storage.storedText("doc")).length).toBe(30_004);
  });

  it("is stored with what was written while it was tried, without another edit", async () => {
    const storage = createGatedStorage();
    const { journal, onStored } = openJournal({ storage });
    const works = storage.fail("append");
    journal.write(updateOf("refused "));
    journal.flush();
    await vi.advanceTimersByTimeAsync(0);
    works();
    const append = storage.hold("append");
    await vi.advanceTimersByTimeAsync(250);
    expect(storage.count("append")).toBe(2);
    journal.write(updateOf("meanwhile"));
    journal.flush();
    append();
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await storage.storedText("doc")).length).toBe(17);
    expect(journal.settled).toBe(true);
    expect(onStored).toHaveBeenCalledOnce();
  });

  it("is told when it begins and when it ends, whatever was tried in between", async () => {
    const { storage, lines, write } = openRefused(always);
    for (let i = 0; i < 10; i++) {
      await write(updateOf("x"));
      await vi.advanceTimersByTimeAsync(1001);
    }
    expect(lines).toEqual([expect.stringMatching(/^error .* storing doc failed \(.*are refused/)]);
    storage.refuses = never;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(lines.slice(1)).toEqual([expect.stringMatching(/^info .* storing doc works again/)]);
  });

  it("is told as such when others are taken, with its size, and not again and again", async () => {
    const { storage, lines, write } = openRefused(isLarge);
    await write(updateOf("x".repeat(30_000)));
    for (let i = 0; i < 10; i++) {
      await write(updateOf("y"));
      await vi.advanceTimersByTimeAsync(3000);
    }
    expect(lines).toEqual([
      expect.stringMatching(/^error .* storing doc failed/),
      expect.stringMatching(/^error .* the storage of doc refuses records of up to 300\d\d bytes/),
    ]);
    storage.refuses = never;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(lines.slice(2)).toEqual([expect.stringMatching(/^info /)]);
  });

  it("is put together when there are hundreds, so that a storage that is back is not flooded", async () => {
    const { storage, journal, write } = openRefused(always);
    for (let i = 0; i < 300; i++) {
      await write(updateOf("x"));
      await vi.advanceTimersByTimeAsync(1001);
    }
    // A storage that is down is not asked for each of them.
    const { length } = storage.handed;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(storage.handed.length - length).toBeLessThanOrEqual(8);
    storage.refuses = never;
    const before = storage.handed.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(journal.settled).toBe(true);
    expect((await storage.storedText("doc")).length).toBe(300);
    expect(storage.handed.length - before).toBeLessThanOrEqual(65);
  });

  it("stays the same objects when there are hundreds that are too large to be put together", async () => {
    const { storage, write } = openRefused(always);
    for (let i = 0; i < 80; i++) {
      await write(updateOf("x".repeat(30_000)));
      await vi.advanceTimersByTimeAsync(1001);
    }
    await vi.advanceTimersByTimeAsync(120_000);
    expect(new Set(storage.handed.flat()).size).toBe(80);
  });

  it("is tried in turns when there is much of it, so that none waits for the others", async () => {
    const { storage, write } = openRefused(always);
    // Each by itself, as they come one after the other.
    for (let i = 0; i < 20; i++) {
      await write(updateOf("x".repeat(30_000)));
      await vi.advanceTimersByTimeAsync(1001);
    }
    await write(updateOf("small"));
    await vi.advanceTimersByTimeAsync(1001);
    storage.refuses = isLarge;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await storage.storedText("doc")).toBe("small");
  });
});
