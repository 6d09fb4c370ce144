import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

it("the README shows the custom transport that the tests run", async () => {
  const file = new URL("broadcast-channel-transport.ts", import.meta.url);
  const source = await readFile(file, "utf8");
  const shown = source
    .split("\n")
    .filter((line) => !line.includes("oxlint-disable"))
    .join("\n");
  const readme = await readFile(new URL("../../../../README.md", import.meta.url), "utf8");
  expect(readme).toContain(shown);
});
