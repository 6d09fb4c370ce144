import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { BuildOptions } from "esbuild";
import { describe, expect, it } from "vitest";

describe("without Redis", () => {
  /** A bundle in which what an application may leave out is left out. */
  const bundle = (contents: string, options: BuildOptions = {}) =>
    build({
      stdin: { contents, resolveDir: import.meta.dirname },
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      conditions: ["@teleportal/source"],
      external: ["@teleportal/sync-redis", "ioredis"],
      ...options,
      metafile: true,
    });

  it.each(["teleportal", "teleportal/server", "teleportal/storage"])(
    "a bundle of %s holds no broker client",
    async (specifier) => {
      const { metafile } = await bundle(`export * from "${specifier}";`, {
        external: ["@teleportal/sync-redis"],
      });
      const inputs = Object.keys(metafile.inputs);
      expect(inputs.some((file) => file.includes("teleportal/src"))).toBe(true);
      expect(inputs.filter((file) => /ioredis|sync-redis|nats|google/.test(file))).toEqual([]);
    },
  );

  it("a bundle of teleportal/server needs no Node API", async () => {
    const { outputFiles } = await bundle(`export * from "teleportal/server";`, {
      platform: "browser",
    });
    expect(outputFiles?.[0]?.text).not.toMatch(/from "node:|require\("node:/);
  });

  it("ioredis is not in the module cache, until one of the two functions is called", async () => {
    const script = `
      import { createRequire } from "node:module";
      import { Server, createRedisServerSyncTransportFactoryFromConnectionString as open } from "teleportal/server";
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("ioredis"));
      new Server({ getStorage: () => undefined, checkPermission: () => true });
      const before = loaded();
      const factory = await open("redis://127.0.0.1:1", {}, { info() {}, warn() {}, error() {} });
      console.log(JSON.stringify({ before, after: loaded() }));
      await factory.close();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        "--import",
        "tsx",
        "--conditions",
        "@teleportal/source",
        "--input-type=module",
        "-e",
        script,
      ],
      { cwd: import.meta.dirname },
    );
    expect(JSON.parse(stdout)).toEqual({ before: false, after: true });
  });

  it.each([
    ["teleportal/server", "npm install @teleportal/sync-redis ioredis"],
    ["@teleportal/sync-redis", "npm install ioredis"],
  ])(
    "a call that misses what it needs says what to install (from %s)",
    async (specifier, remedy) => {
      // Outside the workspace nothing that was left out can be found.
      const folder = await mkdtemp(join(tmpdir(), "teleportal-bare-"));
      const file = join(folder, "bundle.mjs");
      await bundle(
        `import { createRedisServerSyncTransportFactoryFromConnectionString as open } from "${specifier}";
       await open("redis://127.0.0.1:1", {}, console).catch((error) => console.log(error.message));`,
        {
          write: true,
          outfile: file,
          external: specifier === "teleportal/server" ? ["@teleportal/sync-redis"] : ["ioredis"],
        },
      );
      const { stdout } = await promisify(execFile)(process.execPath, [file]);
      await rm(folder, { recursive: true });
      expect(stdout).toContain(`: ${remedy}\n`);
    },
  );
});
