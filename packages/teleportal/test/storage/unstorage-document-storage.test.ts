import { readdir, rm, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createStorage, prefixStorage } from "unstorage";
import type { Storage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import fsLiteDriver from "unstorage/drivers/fs-lite";
import { createUnstorageDocumentStorage } from "../../src/storage/index.ts";
import type { UnstorageLike } from "../../src/storage/index.ts";
import { createTemporaryFolder } from "./storages.ts";
import { concatenate, concatenated } from "./concatenate.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

function over(storage: UnstorageLike, shared = true) {
  return createUnstorageDocumentStorage(storage, { shared });
}

/** The storage with some methods replaced. */
function wrap(storage: Storage, methods: Partial<UnstorageLike>): UnstorageLike {
  return {
    getKeys: (base) => storage.getKeys(base),
    getItemRaw: (key) => storage.getItemRaw(key),
    setItemRaw: (key, value) => storage.setItemRaw(key, value),
    removeItem: (key) => storage.removeItem(key),
    ...methods,
  };
}

test("shared is what the caller says", () => {
  expect(over(createStorage(), true).shared).toBe(true);
  expect(over(createStorage(), false).shared).toBe(false);
});

describe("the base", () => {
  test("keeps what else is in the unstorage out of sight, and is `teleportal` by default", async () => {
    const storage = createStorage();
    await storage.setItem("mine", "kept");
    await over(storage).append("doc", [bytes(1)]);
    expect(await storage.getKeys("teleportal")).toHaveLength(1);
    expect(await storage.getItem("mine")).toBe("kept");
  });

  test("separates two storages, also when one base is the beginning of the other", async () => {
    const storage = createStorage();
    const bases = ["docs", "docs2", "docs/a", "docs:a:b"];
    for (const [index, base] of bases.entries()) {
      await createUnstorageDocumentStorage(storage, { shared: true, base }).append("doc", [
        bytes(index),
      ]);
    }
    for (const [index, base] of bases.entries()) {
      const loaded = await createUnstorageDocumentStorage(storage, { shared: true, base }).load(
        "doc",
      );
      expect(loaded).toEqual([bytes(index)]);
    }
  });

  test("is refused when unstorage would not keep it as it is", () => {
    for (const base of ["", "a?b", "..", "a:../b", "a\\b", "/a", "a:", "a::b", "a b", "."]) {
      expect(() => createUnstorageDocumentStorage(createStorage(), { shared: true, base })).toThrow(
        /^\[teleportal\] ".*" cannot be the base of an unstorage: use segments of letters/,
      );
    }
  });

  test("adds to that of prefixStorage", async () => {
    const storage = createStorage();
    await over(prefixStorage(storage, "outer")).append("doc", [bytes(1), bytes(2)]);
    await over(prefixStorage(storage, "outer")).compact("doc", concatenated);
    expect(await over(prefixStorage(storage, "outer")).load("doc")).toEqual([bytes(1, 2)]);
    expect(await storage.getKeys("outer:teleportal")).toHaveLength(1);
  });
});

describe("while another instance compacts", () => {
  test("between listing and reading, what was listed is found in the merged update", async () => {
    const storage = createStorage();
    const other = over(storage);
    await other.append("doc", [bytes(1), bytes(2)]);
    let compacted: Promise<void> | undefined;
    for (const shared of [true, false]) {
      compacted = undefined;
      await other.append("doc", [bytes(3)]);
      const reader = wrap(storage, {
        async getItemRaw(key) {
          await (compacted ??= other.compact("doc", concatenated));
          return storage.getItemRaw(key);
        },
      });
      const loaded = concatenate(await over(reader, shared).load("doc"));
      expect(loaded).toEqual(shared ? bytes(1, 2, 3) : bytes(1, 2, 3, 3));
    }
  });

  test("during a listing that then shows neither, the merged update is found", async () => {
    const storage = createStorage();
    const other = over(storage);
    await other.append("doc", [bytes(1), bytes(2)]);
    let listings = 0;
    const reader = wrap(storage, {
      async getKeys(base) {
        listings++;
        if (listings > 1) {
          return storage.getKeys(base);
        }
        // As Redis documents of SCAN: what was not there the whole time may be missing.
        const before = await storage.getKeys(base);
        await other.compact("doc", concatenated);
        const after = new Set(await storage.getKeys(base));
        return before.filter((key) => after.has(key));
      },
    });
    expect(await over(reader).load("doc")).toEqual([bytes(1, 2)]);
  });

  test("a merged update that is still being written is read again", async () => {
    const storage = createStorage();
    const other = over(storage);
    await other.append("doc", [bytes(1), bytes(2)]);
    const sources = await storage.getKeys("teleportal");
    await other.compact("doc", concatenated);
    const [merged = ""] = await storage.getKeys("teleportal");
    let passes = 0;
    const reader = wrap(storage, {
      async getKeys(base) {
        passes++;
        return passes === 1 ? [...sources, merged] : storage.getKeys(base);
      },
      async getItemRaw(key) {
        return key === merged && passes === 1 ? bytes(1) : storage.getItemRaw(key);
      },
    });
    expect(await over(reader).load("doc")).toEqual([bytes(1, 2)]);
  });

  test("an unstorage that lists what it has not is given up with a clear error", async () => {
    const storage = createStorage();
    await over(storage).append("doc", [bytes(1)]);
    const reader = wrap(storage, { getItemRaw: () => Promise.resolve(null) });
    await expect(over(reader).load("doc")).rejects.toThrow(
      /^\[teleportal\] items under teleportal:.* were listed but gone when read, 20 times in a row: /,
    );
  });
});

describe("a driver that would lose what is appended is found out by the first append", () => {
  let folder: Awaited<ReturnType<typeof createTemporaryFolder>>;

  beforeEach(async () => {
    folder = await createTemporaryFolder();
  });

  afterEach(() => folder.remove());

  test("because it is read-only", async () => {
    const storage = createStorage({ driver: fsLiteDriver({ base: folder.path, readOnly: true }) });
    await expect(over(storage).append("doc", [bytes(1)])).rejects.toThrow(
      /^\[teleportal\] the unstorage did not list what was written to it on trial: use a driver that is not read-only/,
    );
  });

  test("because the fs driver lists nothing in node_modules", async () => {
    const base = join(folder.path, "node_modules", "data");
    const storage = createStorage({ driver: fsDriver({ base }) });
    await expect(over(storage).append("doc", [bytes(1)])).rejects.toThrow(
      "the fs driver's base must not lie in node_modules",
    );
  });

  test("but it may do better later: the next append tries again, the ones after a success do not", async () => {
    const storage = createStorage();
    let trials = 0;
    let broken = true;
    const adapter = over(
      wrap(storage, {
        async setItemRaw(key, value) {
          trials += key.includes(":trial:") ? 1 : 0;
          if (broken) {
            throw new Error("offline");
          }
          await storage.setItemRaw(key, value);
        },
      }),
    );
    await expect(adapter.append("doc", [bytes(1)])).rejects.toThrow("(offline)");
    broken = false;
    await adapter.append("doc", [bytes(1)]);
    await adapter.append("doc", [bytes(2)]);
    expect(trials).toBe(2);
    expect(await adapter.load("doc")).toEqual([bytes(1), bytes(2)]);
    expect(await storage.getKeys("teleportal:trial")).toEqual([]);
  });
});

describe("what the driver gives", () => {
  test("may be an ArrayBuffer or a Buffer", async () => {
    const storage = createStorage();
    await over(storage).append("doc", [bytes(1, 2)]);
    for (const give of [
      (value: Uint8Array) => Uint8Array.from(value).buffer,
      (value: Uint8Array) => Buffer.from(value),
    ]) {
      const reader = wrap(storage, {
        getItemRaw: async (key) => give((await storage.getItemRaw<Uint8Array>(key)) ?? bytes()),
      });
      expect(await over(reader).load("doc")).toEqual([bytes(1, 2)]);
    }
  });

  test("may go through base64, as with drivers that know strings only", async () => {
    const items = new Map<string, string>();
    const storage = createStorage({
      driver: {
        hasItem: (key) => items.has(key),
        getItem: (key) => items.get(key) ?? null,
        setItem: (key, value) => void items.set(key, value),
        removeItem: (key) => void items.delete(key),
        getKeys: () => [...items.keys()],
      },
    });
    await over(storage).append("doc", [bytes(0, 0xff), bytes()]);
    expect(await over(storage).load("doc")).toEqual([bytes(0, 0xff), bytes()]);
  });

  test("is refused if it is no bytes", async () => {
    const storage = createStorage();
    await over(storage).append("doc", [bytes(1, 2)]);
    const reader = wrap(storage, { getItemRaw: () => Promise.resolve("text") });
    await expect(over(reader).load("doc")).rejects.toThrow(
      /^\[teleportal\] reading the item teleportal:.* gave no bytes but string: check the unstorage driver/,
    );
  });
});

describe("in a folder", () => {
  let folder: Awaited<ReturnType<typeof createTemporaryFolder>>;

  beforeEach(async () => {
    folder = await createTemporaryFolder();
  });

  afterEach(() => folder.remove());

  async function files(): Promise<string[]> {
    const entries = await readdir(folder.path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }

  test("a file that a crash cut short is left out", async () => {
    const storage = over(createStorage({ driver: fsDriver({ base: folder.path }) }));
    await storage.append("doc", [bytes(1, 2, 3)]);
    const [path = ""] = await files();
    await storage.append("doc", [bytes(4)]);
    await truncate(path, 1);
    expect(await storage.load("doc")).toEqual([bytes(4)]);
  });

  test("thousands of updates are appended, read and compacted", async () => {
    const storage = over(createStorage({ driver: fsDriver({ base: folder.path }) }));
    const updates = Array.from({ length: 3000 }, (_, index) => bytes(index & 0xff, index >> 8));
    await storage.append("doc", updates);
    expect(await storage.load("doc")).toEqual(updates);
    await storage.compact("doc", concatenated);
    expect(await storage.load("doc")).toEqual([concatenate(updates)]);
  });

  test("a file that cannot be read is an error, not a missing update", async () => {
    const storage = over(createStorage({ driver: fsDriver({ base: folder.path }) }));
    await storage.append("doc", [bytes(1)]);
    const [path = ""] = await files();
    await rm(path);
    // A link to itself: unlike missing permissions, root cannot read it either.
    await symlink(path, path);
    await expect(storage.load("doc")).rejects.toThrow(/gave no bytes but ELOOP/);
  });

  test("an error that the driver resolves with is an error, with it as the cause", async () => {
    const inner = createStorage({ driver: fsDriver({ base: folder.path }) });
    await over(inner).append("doc", [bytes(1)]);
    const reason = new Error("EMFILE: too many open files");
    const reader = wrap(inner, { getItemRaw: () => Promise.resolve(reason) });
    await expect(over(reader).load("doc")).rejects.toMatchObject({
      name: "SyncError",
      message: expect.stringContaining("gave no bytes but EMFILE: too many open files"),
      cause: reason,
    });
  });
});
