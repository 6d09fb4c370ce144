/**
 * Brings a fresh clone to where everything can run, on a machine that has git, Node and npm and nothing else.
 * Does nothing when nothing has changed since.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".setup");

/** Runs a command in the workspace, its own tools first on PATH; returns the exit code. */
export function run(command, args, { env = {}, quiet = false } = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    stdio: quiet ? "pipe" : "inherit",
    shell: process.platform === "win32",
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      TURBO_TELEMETRY_DISABLED: "1",
      ...env,
    },
  });
  if (error)
    throw new Error(`[setup] ${command} cannot be started: is it installed?`, { cause: error });
  if (quiet && status !== 0) process.stderr.write(String(stdout) + String(stderr));
  return status ?? 1;
}

/** Installs the pinned dependencies if they are not, or not these. */
export function setUp() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`[setup] Node ${process.versions.node} is too old: install 20.19 or newer`);
  }
  const fingerprint = createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .update(readFileSync(join(root, "pnpm-workspace.yaml")))
    .update(`${process.platform} ${process.arch}`)
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint) return;

  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  console.log(`Installing dependencies with ${packageManager} …`);
  const status = run("npx", ["--yes", packageManager, "install", "--frozen-lockfile"], {
    env: { CI: "true" },
  });
  if (status !== 0) throw new Error("[setup] the installation failed: see above");
  writeFileSync(stamp, fingerprint);
}

/** Runs a module of the workspace from source, with this process's arguments; its exit code becomes this process's. */
export function runModule(module) {
  setUp();
  const options = ["--import", "tsx", "--conditions=@teleportal/source"];
  process.exitCode = run("node", [...options, module, ...process.argv.slice(2)]);
}
