import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { storageKinds } from "./storages.ts";
import type { OpenedStorages } from "./storages.ts";
import { concatenate, concatenated } from "./concatenate.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

const ODD_IDS = [
  "a",
  "A",
  "a/b",
  "a:b",
  "a/",
  "a:",
  "/a",
  "a\\b",
  "a?b",
  "a?c",
  "a%2Fb",
  "a b",
  " a",
  "a$",
  "a!",
  "",
  ".",
  "..",
  "../a",
  "__proto__",
  "con",
  "a\u0000",
  "\u00e9",
  "e\u0301",
  "👩‍👩‍👧",
  "👩",
  "x".repeat(4096),
  `${"x".repeat(4095)}X`,
  "x".repeat(4095),
  "\u{20ac}".repeat(4096),
];

describe.each(storageKinds)("$name", ({ open }) => {
  let storages: OpenedStorages;

  beforeEach(async () => {
    storages = await open();
  });

  afterEach(async () => {
    await storages.close();
  });

  test("a new document is empty", async () => {
    expect(await storages.first.load("new")).toEqual([]);
  });

  test("what was appended is loaded, in the order of the calls, by every instance", async () => {
    const { first, second } = storages;
    const many = Array.from({ length: 40 }, (_, index) => bytes(3, index));
    await first.append("doc", [bytes(1), bytes(2)]);
    await Promise.all(many.map((update) => first.append("doc", [update])));
    await first.append("doc", []);
    await first.append("doc", [new Uint8Array(10_000).fill(7), bytes()]);
    const expected = [bytes(1), bytes(2), ...many, new Uint8Array(10_000).fill(7), bytes()];
    expect(await first.load("doc")).toEqual(expected);
    expect(await second.load("doc")).toEqual(expected);
  });

  test("the same update twice is two updates", async () => {
    await storages.first.append("doc", [bytes(1), bytes(1)]);
    await storages.second.append("doc", [bytes(1)]);
    expect(await storages.first.load("doc")).toEqual([bytes(1), bytes(1), bytes(1)]);
  });

  test("compact puts the merged update in the place of what it read", async () => {
    const { first, second } = storages;
    await first.append("doc", [bytes(1), bytes(2)]);
    await first.append("doc", [bytes(3)]);
    await second.compact("doc", concatenated);
    expect(await first.load("doc")).toEqual([bytes(1, 2, 3)]);
    await first.append("doc", [bytes(4)]);
    expect(await second.load("doc")).toEqual(expect.arrayContaining([bytes(1, 2, 3), bytes(4)]));
  });

  test("compact of a new document stores nothing and does not ask to merge", async () => {
    await storages.first.compact("doc", () => {
      throw new Error("asked");
    });
    expect(await storages.first.load("doc")).toEqual([]);
  });

  test("compact of one update replaces it by what merge makes of it", async () => {
    await storages.first.append("doc", [bytes(1, 2)]);
    await storages.first.compact("doc", async (updates) => [concatenate(updates).slice(1)]);
    expect(await storages.first.load("doc")).toEqual([bytes(2)]);
  });

  test("what another instance appends during a compact stays", async () => {
    const { first, second } = storages;
    await first.append("doc", [bytes(1), bytes(2)]);
    let appended: Promise<void> | undefined;
    await first.compact("doc", (updates) => {
      appended = second.append("doc", [bytes(3)]);
      return concatenated(updates);
    });
    await appended;
    const loaded = await first.load("doc");
    expect(loaded).toHaveLength(2);
    expect(loaded).toEqual(expect.arrayContaining([bytes(1, 2), bytes(3)]));
  });

  test("what is appended during a compact stands after what was compacted", async () => {
    const { first, second } = storages;
    await first.append("doc", [bytes(1), bytes(2)]);
    await first.compact("doc", async (updates) => {
      await first.append("doc", [bytes(3)]);
      await first.append("doc", [bytes(4)]);
      return updates.map((update) => concatenate([update, update]));
    });
    const expected = [bytes(1, 1), bytes(2, 2), bytes(3), bytes(4)];
    expect(await first.load("doc")).toEqual(expected);
    expect(await second.load("doc")).toEqual(expected);
  });

  test("two instances that compact at once lose nothing", async () => {
    const { first, second } = storages;
    await first.append("doc", [bytes(1), bytes(2)]);
    await Promise.all([first.compact("doc", concatenated), second.compact("doc", concatenated)]);
    const loaded = await first.load("doc");
    expect(new Set(loaded.flatMap((update) => [...update]))).toEqual(new Set([1, 2]));
  });

  test("what is appended while two instances compact stays, whichever of them is done first", async () => {
    const { first, second } = storages;
    await first.append("doc", [bytes(1), bytes(2)]);
    await first.compact("doc", async (updates) => {
      await second.compact("doc", concatenated);
      await second.append("doc", [bytes(3)]);
      await second.append("doc", [bytes(4)]);
      return concatenated(updates);
    });
    const loaded = await first.load("doc");
    expect(new Set(loaded.flatMap((update) => [...update]))).toEqual(new Set([1, 2, 3, 4]));
  });

  test("a merge that throws rejects with what it threw, and nothing is changed", async () => {
    const { first } = storages;
    await first.append("doc", [bytes(1), bytes(2)]);
    const reason = new Error("cannot merge");
    const compacted = first.compact("doc", (updates) => {
      updates[0]?.fill(9);
      throw reason;
    });
    await expect(compacted).rejects.toBe(reason);
    expect(await first.load("doc")).toEqual([bytes(1), bytes(2)]);
  });

  test("documents do not see each other, however alike or odd their ids are", async () => {
    const { first, second } = storages;
    for (const [index, id] of ODD_IDS.entries()) {
      await first.append(id, [bytes(1, index), bytes(2, index)]);
    }
    for (const id of ODD_IDS.filter((_, index) => index % 2 === 0)) {
      await second.compact(id, concatenated);
    }
    for (const [index, id] of ODD_IDS.entries()) {
      const expected =
        index % 2 === 0 ? [bytes(1, index, 2, index)] : [bytes(1, index), bytes(2, index)];
      expect(await first.load(id), `document ${index}`).toEqual(expected);
    }
  });

  test("an id with a lone surrogate is refused, since it has no encoding of its own", async () => {
    for (const id of ["\ud800", "a\udc00b"]) {
      await expect(storages.first.append(id, [bytes(1)])).rejects.toThrow(
        /^\[teleportal\] the document id .* is not well-formed Unicode: use an id without lone surrogates$/,
      );
    }
  });

  test("a caller that reuses its buffer after the call changes nothing stored", async () => {
    const { first } = storages;
    const buffer = bytes(1, 2, 3);
    const appended = first.append("doc", [buffer.subarray(1)]);
    buffer.fill(9);
    await appended;
    buffer.fill(8);
    expect(await first.load("doc")).toEqual([bytes(2, 3)]);

    const merged = bytes(4);
    await first.compact("doc", async () => [merged]);
    merged.fill(9);
    expect(await first.load("doc")).toEqual([bytes(4)]);
  });

  test("what was loaded or handed to merge is the caller's to change", async () => {
    const { first } = storages;
    await first.append("doc", [bytes(1)]);
    for (const update of await first.load("doc")) {
      update.fill(9);
    }
    await first.compact("doc", async ([update]) => {
      const result = update?.slice() ?? bytes();
      update?.fill(9);
      return [result];
    });
    const loaded = await first.load("doc");
    expect(loaded).toEqual([bytes(1)]);
    expect(loaded[0]?.constructor).toBe(Uint8Array);
  });
});
