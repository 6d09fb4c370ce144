import { expect, it } from "vitest";
import { freePort } from "@teleportal/test-brokers";

it("is given once, though nothing listens on it yet", async () => {
  // So many of 10,000 that two of them would be the same, if they were drawn only.
  const ports = await Promise.all(Array.from({ length: 800 }, freePort));
  expect(new Set(ports).size).toBe(800);
});
