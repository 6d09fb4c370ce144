import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { createKeyValueDocumentStorage } from "../../src/storage/index.ts";
import type { KeyValueStore } from "../../src/storage/index.ts";
import { createMapStore } from "./storages.ts";
import { concatenated } from "./concatenate.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

function over(store: KeyValueStore) {
  return createKeyValueDocumentStorage(store, { shared: true });
}

/** A store that counts what it is asked to do. */
function counted(store: KeyValueStore) {
  const calls: string[] = [];
  return {
    calls,
    store: {
      list: (documentKey) => (calls.push("list"), store.list(documentKey)),
      put: (entries) => (calls.push("put"), store.put(entries)),
      delete: (keys) => (calls.push("delete"), store.delete(keys)),
    } satisfies KeyValueStore,
  };
}

test("shared is what the caller says", () => {
  const store = createMapStore();
  expect(createKeyValueDocumentStorage(store, { shared: true }).shared).toBe(true);
  expect(createKeyValueDocumentStorage(store, { shared: false }).shared).toBe(false);
});

describe("keys", () => {
  test("begin with the SHA-256 of the document id, so that an operator finds a document", async () => {
    const store = createMapStore();
    await over(store).append("notes/today", [bytes(1)]);
    const digest = createHash("sha256").update("notes/today").digest("hex");
    const [key] = store.entries.keys();
    expect(key).toMatch(new RegExp(`^${digest}:[0-9a-f-]{1,60}$`));
  });

  test("of a document are made once, not with each keystroke", async () => {
    const digests = vi.spyOn(crypto.subtle, "digest");
    try {
      const storage = over(createMapStore());
      for (let i = 0; i < 100; i++) await storage.append(i % 2 === 0 ? "a" : "b", [bytes(i)]);
      expect(digests).toHaveBeenCalledTimes(2);
    } finally {
      digests.mockRestore();
    }
  });

  test("are right for more documents than are kept in mind", async () => {
    const storage = over(createMapStore());
    const ids = Array.from({ length: 11_000 }, (_, i) => `doc${i}`);
    for (const [i, id] of ids.entries()) await storage.append(id, [bytes(i & 255)]);
    const [first = "", last = ""] = [ids[0], ids.at(-1)];
    await storage.append(first, [bytes(7)]);
    expect(new Set(await storage.load(first))).toEqual(new Set([bytes(0), bytes(7)]));
    expect(await storage.load(last)).toEqual([bytes(10_999 & 255)]);
  });

  test("sort in the order of writing even when the clock is set back", async () => {
    const store = createMapStore();
    const storage = over(store);
    const { now } = Date;
    try {
      await storage.append("doc", [bytes(1)]);
      Date.now = () => now() - 3_600_000;
      await storage.append("doc", [bytes(2)]);
    } finally {
      Date.now = now;
    }
    await storage.append("doc", [bytes(3)]);
    expect(await storage.load("doc")).toEqual([bytes(1), bytes(2), bytes(3)]);
  });

  test("of two instances never meet, even at the same moment", async () => {
    const store = createMapStore();
    const { now } = Date;
    try {
      Date.now = () => 1_700_000_000_000;
      await Promise.all([
        over(store).append("doc", [bytes(1)]),
        over(store).append("doc", [bytes(1)]),
      ]);
    } finally {
      Date.now = now;
    }
    expect(store.entries.size).toBe(2);
  });
});

describe("compact", () => {
  test("leaves alone one update that merging does not change, and a document without any", async () => {
    const { calls, store } = counted(createMapStore());
    const storage = over(store);
    await storage.compact("doc", concatenated);
    await storage.append("doc", [bytes(1)]);
    await storage.compact("doc", concatenated);
    expect(calls).toEqual(["list", "put", "list"]);
  });

  test("deletes only once the merged update is stored, and only what it has merged", async () => {
    const inner = createMapStore();
    const storage = over({
      ...inner,
      async delete(keys) {
        expect((await over(inner).load("doc")).at(-1)).toEqual(bytes(1, 2));
        await over(inner).append("doc", [bytes(3)]);
        await inner.delete(keys);
      },
    });
    await storage.append("doc", [bytes(1), bytes(2)]);
    await storage.compact("doc", concatenated);
    // Of two writers within a millisecond, either may come first.
    const loaded = await storage.load("doc");
    expect(loaded).toHaveLength(2);
    expect(loaded).toEqual(expect.arrayContaining([bytes(1, 2), bytes(3)]));
  });

  test("that ends before it deletes leaves both, and the next one tidies up", async () => {
    const inner = createMapStore();
    const reason = new Error("killed");
    const broken = over({ ...inner, delete: () => Promise.reject(reason) });
    await broken.append("doc", [bytes(1), bytes(2)]);
    await expect(broken.compact("doc", concatenated)).rejects.toMatchObject({
      name: "SyncError",
      message:
        '[teleportal] compacting document "doc" failed (killed): nothing is lost, at worst the document is stored twice; check the store',
      cause: reason,
    });
    expect(await broken.load("doc")).toEqual([bytes(1), bytes(2), bytes(1, 2)]);
    await over(inner).compact("doc", async (updates) => updates.slice(-1));
    expect(await broken.load("doc")).toEqual([bytes(1, 2)]);
  });

  test("that cannot store the merged update changes nothing", async () => {
    const inner = createMapStore();
    const broken = over({ ...inner, put: () => Promise.reject(new Error("full")) });
    await over(inner).append("doc", [bytes(1), bytes(2)]);
    await expect(broken.compact("doc", concatenated)).rejects.toThrow("(full): nothing is lost");
    expect(await over(inner).load("doc")).toEqual([bytes(1), bytes(2)]);
  });
});

test("an update whose writing was cut short by a crash is left out, and foreign entries too", async () => {
  const store = createMapStore();
  const storage = over(store);
  await storage.append("doc", [bytes(1, 2, 3), bytes(4, 5)]);
  const [key = "", other = ""] = store.entries.keys();
  store.entries.set(key, bytes(1, 2));
  const folder = key.slice(0, key.indexOf(":"));
  store.entries.set(`${folder}:.DS_Store`, bytes(0));
  store.entries.set(other.replace(folder, "0".repeat(64)), bytes(6, 7));
  expect(await storage.load("doc")).toEqual([bytes(4, 5)]);

  await storage.append("doc", [bytes(6)]);
  await storage.compact("doc", concatenated);
  expect(await storage.load("doc")).toEqual([bytes(4, 5, 6)]);
  expect(store.entries.has(key)).toBe(true);
  expect(store.entries.has(`${folder}:.DS_Store`)).toBe(true);
});

test("a store's error is told with the document, what to do and the cause", async () => {
  const reason = new Error("connection lost");
  const fail = (): Promise<never> => Promise.reject(reason);
  const storage = over({ list: fail, put: fail, delete: fail });
  const id = `line\n${"x".repeat(4000)}`;
  await expect(storage.load("doc")).rejects.toMatchObject({
    name: "SyncError",
    message: '[teleportal] loading document "doc" failed (connection lost): check the store',
    cause: reason,
  });
  await expect(storage.append(id, [bytes(1)])).rejects.toMatchObject({
    message: expect.stringMatching(
      /^\[teleportal\] appending to document "line\\nx{95}…" failed \(connection lost\): check the store and append/,
    ),
    cause: reason,
  });
  await expect(storage.compact("doc", concatenated)).rejects.toMatchObject({
    message:
      '[teleportal] compacting document "doc" failed (connection lost): nothing was changed; check the store',
    cause: reason,
  });
});

test("a store that lists more than was asked for mixes no documents", async () => {
  const store = createMapStore();
  const careless = over({
    ...store,
    list: async () => Array.from(store.entries, ([key, value]) => ({ key, value })),
  });
  await careless.append("a", [bytes(1)]);
  await careless.append("b", [bytes(2), bytes(3)]);
  await careless.compact("b", concatenated);
  expect(await careless.load("a")).toEqual([bytes(1)]);
  expect(await careless.load("b")).toEqual([bytes(2, 3)]);
});
