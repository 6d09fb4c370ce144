import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Where no adapter is installed: only what `serve` itself is made of, in a folder without node_modules. */
describe("teleportal serve --sync, without the adapter", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "teleportal-missing-"));
    const { outputFiles } = await build({
      stdin: {
        contents: `
          import { openSync } from "../../src/command/open-sync.ts";
          openSync(process.argv[2], undefined, console).catch(({ message }) => console.log(message));`,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      conditions: ["@teleportal/source"],
    });
    await writeFile(join(folder, "open-sync.mjs"), outputFiles[0]?.text ?? "");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ["memory:", "npm install @teleportal/sync-memory"],
    ["redis://localhost", "npm install @teleportal/sync-redis ioredis"],
    ["rediss+cluster://localhost", "npm install @teleportal/sync-redis ioredis"],
    ["redis+sentinel://localhost/main", "npm install @teleportal/sync-redis ioredis"],
    ["nats://localhost", "npm install @teleportal/sync-nats @nats-io/transport-node"],
    ["tls://localhost", "npm install @teleportal/sync-nats @nats-io/transport-node"],
    ["google-pubsub://project", "npm install @teleportal/sync-google-pubsub @google-cloud/pubsub"],
  ])("for %s says how to install it", async (url, remedy) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(folder, "open-sync.mjs"), url],
      { cwd: folder },
    );
    expect(stdout.trim()).toMatch(/^\[teleportal\] @teleportal\/sync-\S+ cannot be loaded: /);
    expect(stdout.trim().endsWith(`: ${remedy}`)).toBe(true);
  });
});
