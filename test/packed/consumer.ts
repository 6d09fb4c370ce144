import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { packAll } from "../../scripts/pack.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export type PackageManager = "npm" | "pnpm";

/** The tarballs of all published packages, by name. */
export type Tarballs = ReadonlyMap<string, string>;

/** An empty folder outside the workspace, into which packages were installed from their tarballs. */
export interface Consumer {
  readonly folder: string;
  write(file: string, content: string): Promise<void>;
  /** Runs one of its own tools, or `node`. @throws with what it has printed */
  run(command: string, ...args: readonly string[]): Promise<string>;
}

/** Folders of one test file, removed with it. */
export interface Workshop extends AsyncDisposable {
  readonly tarballs: Tarballs;
  /**
   * @param published Those of ours to install; what they need of each other comes from the tarballs too.
   * @param others Others by name, with their versions.
   */
  install(
    manager: PackageManager,
    published: readonly string[],
    others: Readonly<Record<string, string>>,
  ): Promise<Consumer>;
}

export async function openWorkshop(): Promise<Workshop> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "teleportal-packed-")));
  const packed = packAll(ROOT, join(folder, "tarballs"));
  const tarballs = new Map([...packed].map(([name, { tarball }]) => [name, tarball]));
  let consumers = 0;

  return {
    tarballs,
    async install(manager, published, others) {
      const own = join(folder, `consumer-${consumers++}`);
      await mkdir(own);
      const consumer = createConsumer(own);
      const files = Object.fromEntries(
        [...tarballs].map(([name, tarball]) => [name, `file:${tarball}`]),
      );
      const chosen = Object.fromEntries(published.map((name) => [name, files[name]]));
      const manifest = { private: true, type: "module", dependencies: { ...chosen, ...others } };
      await consumer.write("package.json", JSON.stringify(manifest));
      if (manager === "npm") {
        const npm = [
          "install",
          "--strict-peer-deps",
          "--prefer-offline",
          "--no-audit",
          "--no-fund",
        ];
        await consumer.run("npm", ...npm);
      } else {
        // Not in the registry yet, so that pnpm would look for them there.
        const overrides = Object.entries(files).map(([name, file]) => `  "${name}": "${file}"`);
        await consumer.write(
          "pnpm-workspace.yaml",
          [
            "strictPeerDependencies: true",
            "strictDepBuilds: false",
            // These bring their program by a script.
            "allowBuilds:",
            "  node: true",
            "  bun: true",
            "overrides:",
            ...overrides,
            "",
          ].join("\n"),
        );
        await consumer.run("pnpm", "install", "--prefer-offline");
      }
      return consumer;
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };
}

function createConsumer(folder: string): Consumer {
  const path = [join(folder, "node_modules", ".bin"), join(ROOT, "node_modules", ".bin")];
  const env = { ...process.env, CI: "true", PATH: [...path, process.env["PATH"]].join(delimiter) };
  return {
    folder,
    async write(file, content) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), content);
    },
    async run(command, ...args) {
      try {
        const { stdout } = await promisify(execFile)(command, [...args], { cwd: folder, env });
        return stdout;
      } catch (cause) {
        const { stdout, stderr } = cause as { stdout?: string; stderr?: string };
        throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause });
      }
    },
  };
}
