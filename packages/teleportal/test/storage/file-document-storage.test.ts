import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as Y from "yjs";
import { createFileDocumentStorage } from "../../src/storage/index.ts";
import type { FileDocumentStorage, FileDocumentStorageOptions } from "../../src/storage/index.ts";
import { createTemporaryFolder } from "./storages.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

let folder: Awaited<ReturnType<typeof createTemporaryFolder>>;
let directory: string;
let opened: FileDocumentStorage[];

beforeEach(async () => {
  folder = await createTemporaryFolder();
  directory = join(folder.path, "nested", "data");
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((storage) => storage.close()));
  await folder.remove();
});

function openStorage(path = directory, options?: FileDocumentStorageOptions): FileDocumentStorage {
  const storage = createFileDocumentStorage(path, options);
  opened.push(storage);
  return storage;
}

const inUse = (path: string): RegExp =>
  new RegExp(
    `^\\[teleportal\\] opening the storage directory ${JSON.stringify(path).replaceAll("\\", "\\\\")} failed \\(.*\\): ` +
      "it is in use by another process, or by another storage object of this one; give each process a directory",
  );

test("it is not shared: one process has the directory", () => {
  expect(openStorage().shared).toBe(false);
});

describe("opening", () => {
  test("is done once for calls that come at the same time, and makes the directory", async () => {
    const storage = openStorage();
    await Promise.all([
      storage.append("a", [bytes(1)]),
      storage.append("b", [bytes(2)]),
      storage.load("c"),
    ]);
    expect(await storage.load("a")).toEqual([bytes(1)]);
    expect(await storage.load("b")).toEqual([bytes(2)]);
  });

  test("can be asked for, more than once, and says what is wrong as any other call does", async () => {
    const storage = openStorage();
    await Promise.all([storage.open(), storage.open()]);
    await expect(openStorage().open()).rejects.toThrow(inUse(directory));
    await storage.append("doc", [bytes(1)]);
    await storage.open();
    expect(await storage.load("doc")).toEqual([bytes(1)]);
    await storage.close();
    await expect(storage.open()).rejects.toThrow(/was used after close\(\)/);
  });

  test("after close finds what was stored, with either durability", async () => {
    for (const durability of ["process", "power"] as const) {
      const path = join(directory, durability);
      const storage = openStorage(path, { durability });
      await storage.append("doc", [bytes(1), bytes(2)]);
      await storage.close();
      const again = openStorage(path, { durability });
      expect(await again.load("doc")).toEqual([bytes(1), bytes(2)]);
    }
  });

  test("a directory that is in use says so, however it is spelt, and succeeds once it is free", async () => {
    const storage = openStorage();
    await storage.append("doc", [bytes(1)]);
    const link = join(folder.path, "link");
    await symlink(directory, link, "junction");
    const spellings = [directory, relative(process.cwd(), directory), `${directory}/`, link];
    const others = spellings.map((path) => openStorage(path));
    for (const [index, other] of others.entries()) {
      const error = await other.load("doc").catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        name: "SyncError",
        message: expect.stringMatching(inUse(spellings[index] ?? "")),
      });
      expect(error).toHaveProperty("cause.cause.code", "LEVEL_LOCKED");
    }
    await storage.append("doc", [bytes(2)]);
    await storage.close();
    for (const other of others) {
      expect(await other.load("doc")).toEqual([bytes(1), bytes(2)]);
      await other.close();
    }
  });

  test("what cannot be a directory says what is wrong, and can be tried again", async () => {
    await mkdir(join(folder.path, "nested"));
    await writeFile(directory, "a file");
    const storage = openStorage();
    await expect(storage.append("doc", [bytes(1)])).rejects.toThrow(
      /^\[teleportal\] opening the storage directory ".*" failed \(EEXIST.*\): check that it is a directory this process may write to$/,
    );
    await rm(directory);
    await storage.append("doc", [bytes(1)]);
    expect(await storage.load("doc")).toEqual([bytes(1)]);
  });
});

describe("close", () => {
  test("may be called twice, at once, before anything was opened, and after a failed opening", async () => {
    const storage = openStorage();
    await storage.append("doc", [bytes(1)]);
    const failing = openStorage();
    await expect(failing.load("doc")).rejects.toThrow(inUse(directory));
    await failing.close();
    await Promise.all([storage.close(), storage.close()]);
    await storage.close();
    await openStorage().close();
  });

  test("while the directory is being opened leaves it free", async () => {
    const storage = openStorage();
    const loading = storage.load("doc").then(
      () => "loaded",
      () => "closed",
    );
    await storage.close();
    expect(["loaded", "closed"]).toContain(await loading);
    expect(await openStorage().load("doc")).toEqual([]);
  });

  test("is the end: later calls reject", async () => {
    const storage = openStorage();
    await storage.close();
    const message =
      /^\[teleportal\] the storage directory ".*" was used after close\(\): close it last/;
    await expect(storage.load("doc")).rejects.toThrow(message);
    await expect(storage.append("doc", [bytes(1)])).rejects.toThrow(message);
    await expect(storage.compact("doc", async () => [bytes()])).rejects.toThrow(message);
  });
});

describe("in a process of its own", () => {
  type Child = ChildProcessByStdio<null, Readable, null>;

  const here = fileURLToPath(new URL(".", import.meta.url));
  const nodeModules = fileURLToPath(new URL("../../node_modules/", import.meta.url));
  let bundles: string;
  let children: Child[];

  // Node 20 cannot run TypeScript. The bundle lies where `import("classic-level")` finds the package.
  async function bundle(outfile: string): Promise<void> {
    await build({
      entryPoints: [join(here, "append-forever.ts")],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      conditions: ["@teleportal/source"],
      external: ["classic-level"],
      logLevel: "error",
    });
  }

  beforeAll(async () => {
    bundles = await mkdtemp(join(nodeModules, ".tmp-storage-"));
    await bundle(join(bundles, "append-forever.mjs"));
  });

  afterAll(() => rm(bundles, { recursive: true, force: true }));

  beforeEach(() => {
    children = [];
  });

  afterEach(() => Promise.all(children.map(kill)));

  function start(
    script: string,
    begin = 0,
  ): { child: Child; lines: AsyncIterableIterator<string> } {
    const child = spawn(process.execPath, [script, directory, String(begin)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
  }

  async function kill(child: Child): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    }
  }

  test("every append that was acknowledged survives that the process is killed while it writes and compacts", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 5; round++) {
      const { child, lines } = start(join(bundles, "append-forever.mjs"), acknowledged.length);
      expect((await lines.next()).value).toBe("open");
      let count = 0;
      // Not at the same point each time; what it still says before it dies counts as well.
      const enough = 100 + round * 37;
      for await (const line of lines) {
        acknowledged.push(line);
        count++;
        if (count === enough) {
          child.kill("SIGKILL");
        }
      }
      expect(count).toBeGreaterThanOrEqual(enough);
      await kill(child);

      const storage = openStorage();
      const document = new Y.Doc();
      for (const update of await storage.load("doc")) {
        Y.applyUpdate(document, update);
      }
      const kept = document.getMap("numbers");
      expect(acknowledged.filter((number) => !kept.has(number))).toEqual([]);
      await storage.close();
    }
  });

  test("the directory is refused to any other, until the process ends", async () => {
    const { child, lines } = start(join(bundles, "append-forever.mjs"));
    expect((await lines.next()).value).toBe("open");
    const storage = openStorage();
    await expect(storage.load("doc")).rejects.toThrow(inUse(directory));
    child.stdout.resume();
    await kill(child);
    expect(Array.isArray(await storage.load("doc"))).toBe(true);

    const second = start(join(bundles, "append-forever.mjs"));
    const { value: message } = await second.lines.next();
    expect(message.replace(/^SyncError: /, "")).toMatch(inUse(directory));
  });

  test("a missing classic-level is named, with the command that installs it", async () => {
    // Outside of the workspace, where no node_modules has the package.
    const script = join(folder.path, "append-forever.mjs");
    await bundle(script);
    const { value: message } = await start(script).lines.next();
    expect(message).toBe(
      `SyncError: [teleportal] the storage directory ${JSON.stringify(directory)} needs classic-level, ` +
        "which is not installed: run `npm install classic-level`",
    );
  });
});
