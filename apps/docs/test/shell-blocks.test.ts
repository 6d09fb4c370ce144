import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ownPages } from "../.vitepress/site-pages.ts";
import { blocksOf } from "./markdown-blocks.ts";

const SITE = fileURLToPath(new URL("..", import.meta.url));
const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

/** What the repository's own commands do, from source. */
const COMMANDS: Readonly<Record<string, string>> = {
  teleportal: "packages/teleportal/test/server/run-command.ts",
  "teleportal-conformance": "packages/sync-core/test/conformance/run-command.ts",
};

/** Programs of others, which the reader gets with their packages. */
const OTHERS = new Set(["y-websocket", "changeset", "vitest"]);

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
}

const { scripts = {} } = JSON.parse(
  readFileSync(join(REPOSITORY, "package.json"), "utf8"),
) as Manifest;

function run(command: string, args: readonly string[]) {
  const flags = ["--import", "tsx", "--conditions=@teleportal/source", COMMANDS[command] ?? ""];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, ...args], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

/** Pages of the site, and what they include or a reader may come from. */
const PAGES = [
  ...ownPages(SITE),
  ...["README.md", "CONTRIBUTING.md"].map((name) => join(REPOSITORY, name)),
  ...["packages", "apps"].flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder))
      .map((name) => join(REPOSITORY, folder, name, "README.md"))
      .filter((file) => existsSync(file)),
  ),
];

const SHELL = new Set(["sh", "bash", "shell"]);

/** Every command of the shell blocks, and in running text, on a line of its own. */
const lines = PAGES.flatMap((file) => {
  const page = relative(REPOSITORY, file);
  const shell = blocksOf(file)
    .filter(({ language }) => SHELL.has(language))
    .flatMap(({ content }) => content.split("\n"));
  const inline = [...readFileSync(file, "utf8").matchAll(/(?<!`)`((?:npm|npx) [^`\n]+)`/g)].map(
    ([, code = ""]) => code,
  );
  return [...shell, ...inline]
    .flatMap((line) => line.replace(/(?:^|\s)#.*$/, "").split("&&"))
    .map((command) => ({ page, command: command.trim() }))
    .filter(({ command }) => command !== "");
});

describe("the commands of the pages", () => {
  it("are found", () => {
    expect(lines.length).toBeGreaterThan(30);
  });

  const npmScripts = lines.flatMap(({ page, command }) => {
    const script = /^npm (?:run ([\w:-]+)|(start|test)\b)/.exec(command);
    return script === null ? [] : [{ page, command, script: script[1] ?? script[2] ?? "" }];
  });

  it("run scripts that there are", () => {
    expect(npmScripts.length).toBeGreaterThan(8);
    expect(npmScripts.filter(({ script }) => !(script in scripts))).toEqual([]);
  });

  it("call programs that there are", () => {
    const unknown = lines.filter(({ command }) => {
      const program = /^npx (?:--yes )?(\S+)/.exec(command)?.[1];
      return program !== undefined && !(program in COMMANDS) && !OTHERS.has(program);
    });
    expect(unknown).toEqual([]);
  });

  const served = lines.filter(({ command }) => /^(?:npx )?teleportal serve\b/.test(command));

  it.each(served)("$command, on $page, says what `serve` understands", ({ command }) => {
    const args = command
      .replace(/^(?:npx )?teleportal /, "")
      .split(/\s+/)
      // What the reader fills in.
      .filter((arg) => arg !== "…");
    const { status, output } = run("teleportal", [...args, "--help"]);
    expect(output).toContain("teleportal serve [options]");
    expect(status).toBe(0);
  });

  it("are refused where they say what `serve` does not: the check can fail", () => {
    expect(run("teleportal", ["serve", "--prot", "1", "--help"]).status).toBe(2);
  });

  it("name flags in running text that one of our commands has", () => {
    const help = Object.keys(COMMANDS)
      .map((command) => run(command, ["--help"]).output)
      .join();
    const known = new Set(help.match(/--[a-z][a-z-]+/g));
    const named = ownPages(SITE).flatMap((file) =>
      [
        ...readFileSync(file, "utf8").matchAll(
          /`(?:(?:teleportal )?serve )?(--[a-z][a-z-]+)[^`]*`/g,
        ),
      ].map(([, flag = ""]) => ({ page: relative(SITE, file), flag })),
    );
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter(({ flag }) => !known.has(flag))).toEqual([]);
  });
});
