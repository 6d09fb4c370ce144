import { expect, test } from "vitest";
import { createMemoryDocumentStorage } from "../../src/storage/index.ts";

test("each server has its own, unless it is said to be shared", () => {
  expect(createMemoryDocumentStorage().shared).toBe(false);
  expect(createMemoryDocumentStorage({ shared: true }).shared).toBe(true);
});

test("two objects have nothing in common", async () => {
  const storage = createMemoryDocumentStorage();
  await storage.append("doc", [Uint8Array.of(1)]);
  expect(await createMemoryDocumentStorage().load("doc")).toEqual([]);
});
