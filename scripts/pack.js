import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Runs a tool of the workspace in one of its folders; returns what it has printed. */
export function runTool(workspace, command, args, folder = workspace) {
  const bin = join(workspace, "node_modules", ".bin");
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === "win32",
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      TURBO_TELEMETRY_DISABLED: "1",
      CI: "true",
    },
  });
  if (status === 0) return stdout;
  throw new Error(
    `[pack] ${[command, ...args].join(" ")} failed: see below\n${stdout ?? ""}${stderr ?? ""}`,
    { cause: error },
  );
}

/** The packages of a workspace that are published. */
export function publishedPackages(workspace) {
  const packages = join(workspace, "packages");
  return readdirSync(packages)
    .map((folder) => {
      const path = join(packages, folder);
      return { path, manifest: JSON.parse(readFileSync(join(path, "package.json"), "utf8")) };
    })
    .filter(({ manifest }) => manifest.private !== true);
}

/**
 * Builds and packs every published package as a registry would get it.
 *
 * @returns by name: the tarball's path, its bytes, those of its files, and their paths
 */
export function packAll(workspace, destination) {
  mkdirSync(destination, { recursive: true });
  const filters = publishedPackages(workspace).map(({ manifest }) => `--filter=${manifest.name}`);
  runTool(workspace, "turbo", ["run", "build", "--output-logs=errors-only", ...filters]);
  return new Map(
    publishedPackages(workspace).map(({ path, manifest }) => {
      const args = ["pack", "--json", "--pack-destination", destination];
      const { version, filename, files } = JSON.parse(runTool(workspace, "pnpm", args, path));
      const paths = files.map((file) => file.path);
      const unpacked = paths.reduce((sum, file) => sum + statSync(join(path, file)).size, 0);
      const { size } = statSync(filename);
      return [manifest.name, { version, tarball: filename, size, unpacked, paths }];
    }),
  );
}
