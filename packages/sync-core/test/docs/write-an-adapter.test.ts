import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const PAGE = new URL("../../docs/write-an-adapter.md", import.meta.url);
const HERE = fileURLToPath(new URL(".", import.meta.url));
const COMMAND = fileURLToPath(new URL("../conformance/run-command.ts", import.meta.url));

/** What the page asks its reader to do, in order. */
type Step =
  | { readonly type: "write"; readonly file: string; readonly content: string }
  | { readonly type: "run"; readonly command: string; readonly output: readonly string[] };

function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  for (const [, kind = "", name = "", content = ""] of page.matchAll(
    /^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm,
  )) {
    const previous = steps.at(-1);
    if (kind === "ts") steps.push({ type: "write", file: name, content });
    else if (kind === "sh") steps.push({ type: "run", command: content.trim(), output: [] });
    else if (previous?.type === "run") {
      steps[steps.length - 1] = { ...previous, output: content.trimEnd().split("\n") };
    }
  }
  return steps;
}

/** `npx teleportal-conformance …`, from source. */
function run(folder: string, args: readonly string[]): Promise<string> {
  const flags = ["--import", "tsx", "--conditions=@teleportal/source", COMMAND];
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, ...args], { cwd: folder }, (_error, stdout) =>
      resolve(stdout),
    );
  });
}

describe("the page that shows how to write an adapter", async () => {
  const steps = stepsOf(await readFile(PAGE, "utf8"));
  let folder: string;

  beforeAll(async () => {
    await mkdir(HERE, { recursive: true });
    folder = await mkdtemp(join(HERE, ".adapter-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it(
    "ends with a full green table when it is followed to the letter",
    { timeout: 180_000 },
    async () => {
      let ran = 0;
      for (const step of steps) {
        if (step.type === "write") {
          await writeFile(join(folder, step.file), step.content);
          continue;
        }
        const [program, name, ...args] = step.command.split(" ");
        // What it installs is among this package's development dependencies.
        if (program === "npm") continue;
        expect([program, name]).toEqual(["npx", "teleportal-conformance"]);
        const output = (await run(folder, args)).split("\n");
        expect(output).toEqual(expect.arrayContaining([...step.output]));
        ran += 1;
      }
      expect(ran).toBe(4);
    },
  );

  it("shows two functions that other adapters have under names like theirs", async () => {
    const { createMqttServerSyncTransportFactoryFromConnectionString: open } = (await import(
      join(folder, "index.ts")
    )) as {
      createMqttServerSyncTransportFactoryFromConnectionString: (
        url: string,
        context: unknown,
        logger: unknown,
      ) => Promise<{ status: string; close(): Promise<void> }>;
    };
    const { silentLogger } = await import("@teleportal/sync-core");
    const factory = await open("mqtt://127.0.0.1:1", {}, silentLogger);
    expect(factory.status).toBe("degraded");
    await factory.close();
  });
});
