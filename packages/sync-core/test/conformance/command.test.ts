import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const COMMAND = fileURLToPath(new URL("run-command.ts", import.meta.url));
const HERE = fileURLToPath(new URL(".", import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Outcome> {
  const flags = ["--import", "tsx", "--conditions=@teleportal/source", COMMAND];
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, ...args], { cwd: HERE }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("teleportal-conformance", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(HERE, ".command-"));
    await writeFile(
      join(folder, "deaf.ts"),
      `import { createReferenceBroker } from "../reference-broker.ts";
import { referenceTarget } from "../reference-target.ts";
const target = referenceTarget(createReferenceBroker(), (driver) => ({
  ...driver,
  subscribe: async () => async () => {},
}));
export const createTarget = async () => ({ ...target, name: "deaf", broker: "Nothing 1.0", patience: 50 });
`,
    );
    await writeFile(
      join(folder, "throwing.ts"),
      `import { createReferenceBroker } from "../reference-broker.ts";
import { referenceTarget } from "../reference-target.ts";
export const target = referenceTarget(createReferenceBroker(), (driver) => ({
  ...driver,
  async publish(channel, bytes) {
    setImmediate(() => {
      throw new Error("thrown in a callback");
    });
    return driver.publish(channel, bytes);
  },
}));
`,
    );
    await writeFile(
      join(folder, "misspelt.ts"),
      `import { createReferenceBroker } from "../reference-broker.ts";
import { referenceTarget } from "../reference-target.ts";
const target = referenceTarget(createReferenceBroker(), (driver) => ({
  ...driver,
  capabilities: { ...driver.capabilities, ordering: "Channel" },
}));
export const createTarget = () => ({ ...target, name: "misspelt" });
`,
    );
    await writeFile(join(folder, "nothing.ts"), "export const nothing = 1;\n");
    await writeFile(join(folder, "broken.ts"), 'throw new Error("no broker here");\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("ends with 0 and a table for an adapter that conforms", async () => {
    const { code, stdout } = await run("sound-target.ts", "--only", "delivery", "--only", "echo");
    expect(stdout).toMatch(/^reference\n {2}ordering channel, echo always, delivery at-most-once/);
    expect(stdout).toMatch(/✓ delivery +8 of 8/);
    expect(stdout).toMatch(/✓ echo +2 of 2/);
    expect(stdout).toMatch(
      /10 passed, 0 failed, 2 not applicable: no MUST has failed among the checks that were chosen\n$/,
    );
    expect(code).toBe(0);
  });

  it("ends with 1, and says what is wrong, for one that does not", async () => {
    const { code, stdout, stderr } = await run(
      join(folder, "deaf.ts"),
      "--only",
      "delivery/exactly",
    );
    expect(stdout).toMatch(/^deaf on Nothing 1\.0\n/);
    expect(stdout).toContain("✗ MUST delivery/exactly-once: with a whole link");
    expect(stdout).toContain('"message 0" did not arrive');
    expect(stdout).toContain("NOT conformant");
    expect(stderr).toMatch(/^✗ MUST delivery\/exactly-once/);
    expect(code).toBe(1);
  });

  it("goes on to the end with one that throws where nobody can catch it", async () => {
    const { code, stdout } = await run(
      join(folder, "throwing.ts"),
      "--only",
      "delivery",
      "--only",
      "echo",
    );
    expect(stdout).toContain("an error was thrown where nobody catches it: thrown in a callback");
    expect(stdout).toMatch(/✗ echo +0 of 2/);
    expect(code).toBe(1);
  });

  it("writes JSON and Markdown, alone on the standard output if asked to", async () => {
    const only = ["sound-target.ts", "--only", "echo"];
    const json = await run(...only, "--json", "-");
    expect(JSON.parse(json.stdout)).toMatchObject({
      target: "reference",
      conformant: true,
      driverCapabilities: { echo: "always" },
    });
    const file = join(folder, "report.md");
    await run(...only, "--markdown", file);
    const markdown = await readFile(file, "utf8");
    expect(markdown).toMatch(/^# Conformance of reference\n/);
    expect(markdown).toContain("| ✓ | `echo/always` | MUST | a subscriber hears its own publishes");
    expect(markdown).toContain("| – | `echo/never` | MUST |");
    expect(markdown).toContain("_(not applicable: echo: always)_");
  });

  it("ends with 2 and the remedy when nothing could be checked", { timeout: 90_000 }, async () => {
    const cases = [
      { args: [], says: "name one file" },
      { args: ["sound-target.ts", "--only", "nonsense"], says: "no check begins with nonsense" },
      { args: ["sound-target.ts", "--nonsense"], says: "Unknown option '--nonsense'" },
      {
        args: [join(folder, "nothing.ts")],
        says: "exports no conformance target: export `target`",
      },
      { args: [join(folder, "broken.ts")], says: "caused by: no broker here" },
      { args: [join(folder, "absent.ts")], says: "cannot be loaded" },
    ];
    for (const { args, says } of cases) {
      const { code, stderr } = await run(...args);
      expect(stderr).toContain(says);
      expect(code).toBe(2);
    }
  });

  it("lists the checks, and its usage", async () => {
    const list = await run("--list");
    expect(list.stdout).toMatch(/^MUST +delivery\/every-subscriber +what any instance publishes/);
    const help = await run("--help");
    expect(help.stdout).toContain("--only PREFIX");
    expect([list.code, help.code]).toEqual([0, 0]);
  });
});
