import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Builds the examples and the page; quick when they are as they were. @throws with what the build has printed */
export function build(): void {
  const bin = join(ROOT, "node_modules", ".bin");
  const { status, stdout, stderr } = spawnSync(
    join(bin, "turbo"),
    ["run", "build", "--filter=./apps/example-*"],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        PATH: `${bin}${delimiter}${process.env["PATH"]}`,
        TURBO_TELEMETRY_DISABLED: "1",
      },
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(`the examples cannot be built:\n${stdout}${stderr}`);
}

/** The folder of the built page. */
export const PAGE = join(ROOT, "apps", "playground", "dist", "page");

/** A built module of an example. */
export function exampleModule(example: string, file: string): URL {
  return pathToFileURL(join(ROOT, "apps", `example-${example}`, "dist", file));
}
