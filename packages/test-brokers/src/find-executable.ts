import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { BrokerError } from "./broker-error.ts";

/** How a broker's server is found, and what would bring it. */
export interface ExecutableSource {
  /** An environment variable that names the file; if set, nothing else is looked at. */
  readonly variable: string;
  /** What it may be called, in order of preference. */
  readonly names: readonly string[];
  /** Folders to look in beside PATH. */
  readonly folders?: readonly string[];
  /** The Debian package that brings it. */
  readonly debianPackage?: string;
  /** An image that runs it, and how the server is called in it. */
  readonly docker?: { readonly image: string; readonly command: string };
}

/** What runs a server: a program of this machine, or one in a container. */
export type Launcher =
  | { readonly type: "program"; readonly program: string }
  | { readonly type: "docker"; readonly image: string; readonly program: string };

/** Whether a broker can be started here; if not, `help` says what would make it so. */
export type BrokerAvailability =
  | { readonly available: true; readonly launcher: Launcher }
  | { readonly available: false; readonly help: string };

/**
 * Environment variable, PATH, the package manager where it may (root on Debian), docker.
 *
 * @throws BrokerError if the variable is set to what cannot be run: silently using another would surprise.
 */
export function findExecutable(source: ExecutableSource): BrokerAvailability {
  const named = process.env[source.variable];
  if (named !== undefined && named !== "") {
    if (isExecutable(named)) return found(named);
    throw new BrokerError(
      `${source.variable} names ${named}, which cannot be run`,
      "correct it, or unset it",
    );
  }
  const onPath = findOnPath(source);
  if (onPath !== undefined) return found(onPath);
  if (source.debianPackage !== undefined && installFromDebian(source.debianPackage)) {
    const installed = findOnPath(source);
    if (installed !== undefined) return found(installed);
  }
  if (source.docker !== undefined && dockerRuns()) {
    const { image, command } = source.docker;
    return { available: true, launcher: { type: "docker", image, program: command } };
  }
  const install = source.debianPackage && `apt-get install ${source.debianPackage}`;
  return {
    available: false,
    help: `${install ?? `install ${source.names.join(" or ")}`}, or set ${source.variable}`,
  };
}

function found(program: string): BrokerAvailability {
  return { available: true, launcher: { type: "program", program } };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findOnPath({ names, folders = [] }: ExecutableSource): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  // Servers live in /usr/sbin on some systems, where an ordinary user's PATH does not look.
  for (const folder of [...path, "/usr/sbin", "/usr/local/sbin", ...folders]) {
    for (const name of names) if (isExecutable(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

function installFromDebian(name: string): boolean {
  if (process.getuid?.() !== 0 || !isExecutable("/usr/bin/apt-get")) return false;
  // Its own service would take the port that users expect to be free: only the program is wanted.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const apt = (...args: string[]): boolean =>
    spawnSync("apt-get", args, { env, stdio: "ignore", timeout: 180_000 }).status === 0;
  process.stderr.write(`[test-brokers] installing ${name} with apt-get …\n`);
  const install = ["install", "--yes", "--no-install-recommends", name];
  return apt(...install) || (apt("update") && apt(...install));
}

function dockerRuns(): boolean {
  return spawnSync("docker", ["info"], { stdio: "ignore", timeout: 10_000 }).status === 0;
}
