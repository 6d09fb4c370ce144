import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const MEMORY = new URL("../../../sync-memory/test/", import.meta.url);

/** The page's block for a test runner. */
async function blockFor(runner: string): Promise<string | undefined> {
  const page = await readFile(new URL("../../docs/conformance.md", import.meta.url), "utf8");
  return new RegExp(`^\`\`\`ts ${runner}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page)?.[1];
}

describe("the page about the conformance suite", () => {
  it("shows for Vitest what sync-memory is tested with", async () => {
    const file = await readFile(new URL("conformance.test.ts", MEMORY), "utf8");
    expect(await blockFor("vitest")).toBe(file);
  });

  it("shows for Node's test runner what works there", { timeout: 60_000 }, async () => {
    const url = new URL("conformance.node.ts", MEMORY);
    expect(await blockFor("node:test")).toBe(await readFile(url, "utf8"));
    const flags = ["--import", "tsx", "--conditions=@teleportal/source", "--test"];
    // Vitest's own variables would make it report to a parent that is not there.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...flags, "--test-reporter=tap", fileURLToPath(url)],
      { env },
    );
    expect(stdout).toMatch(/^# pass [7-9]\d$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });
});
