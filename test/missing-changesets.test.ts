import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missingChangesets } from "../scripts/missing-changesets.js";

const FILES = ["dist", "src"];

let workspace: string;
let base: string;

function git(...args: readonly string[]): string {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
  return execFileSync("git", [...identity, ...args], { cwd: workspace, encoding: "utf8" }).trim();
}

/** Commits files, by path. An object is a manifest; nothing removes the file. */
function commit(files: Readonly<Record<string, string | object | undefined>>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(workspace, path);
    mkdirSync(dirname(file), { recursive: true });
    if (content === undefined) rmSync(file);
    else writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }
  git("add", "--all");
  git("commit", "--quiet", "--message", "a change");
}

const missing = () => missingChangesets(workspace, base);

const changeset = (...names: readonly string[]) =>
  ["---", ...names.map((name) => `"${name}": patch`), "---", "", "What users notice.", ""].join(
    "\n",
  );

const a = { name: "@x/a", version: "1.0.0", files: FILES, dependencies: { y: "^1.0.0" } };
const b = { name: "b", version: "1.0.0", files: FILES };

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "teleportal-changesets-"));
  git("init", "--quiet");
  commit({
    ".changeset/earlier.md": changeset("@x/a", "b"),
    "packages/a/package.json": a,
    "packages/a/src/index.ts": "1",
    "packages/b/package.json": b,
    "packages/b/src/index.ts": "1",
    "packages/inner/package.json": { name: "inner", version: "0.0.0", private: true },
  });
  base = git("rev-parse", "HEAD");
});
afterEach(() => rmSync(workspace, { recursive: true }));

describe("a changeset is missing", () => {
  it("for each published package whose sources have changed", () => {
    commit({ "packages/a/src/index.ts": "2", "packages/b/src/new.ts": "1" });
    expect(missing()).toEqual(["@x/a", "b"]);
  });

  it("when there is one, of another package", () => {
    commit({ "packages/a/src/index.ts": "2", ".changeset/b.md": changeset("b") });
    expect(missing()).toEqual(["@x/a"]);
  });

  it("for what a manifest says to users, such as a dependency", () => {
    commit({ "packages/a/package.json": { ...a, dependencies: { y: "^2.0.0" } } });
    expect(missing()).toEqual(["@x/a"]);
  });

  it("for a new package, and for a file that is gone", () => {
    commit({
      "packages/c/package.json": { name: "c", version: "0.0.0", files: FILES },
      "packages/b/src/index.ts": undefined,
    });
    expect(missing()).toEqual(["b", "c"]);
  });
});

describe("no changeset is missing", () => {
  it("when one names each package that has changed", () => {
    commit({ "packages/a/src/index.ts": "2", ".changeset/a.md": changeset("@x/a") });
    expect(missing()).toEqual([]);
  });

  it("when an earlier one was rewritten to say it", () => {
    commit({ "packages/b/src/index.ts": "2", ".changeset/earlier.md": changeset("b") });
    expect(missing()).toEqual([]);
  });

  it("when one says that users will not notice", () => {
    commit({ "packages/a/src/index.ts": "2", ".changeset/nothing.md": changeset() });
    expect(missing()).toEqual([]);
  });

  it("for tests, scripts, and packages that are not published", () => {
    commit({
      "packages/a/test/a.test.ts": "1",
      "packages/a/package.json": { ...a, scripts: { build: "x" }, devDependencies: { z: "1.0.0" } },
      "packages/inner/src/index.ts": "1",
    });
    expect(missing()).toEqual([]);
  });

  it("for a release, which has used them up", () => {
    commit({
      "packages/a/package.json": { ...a, version: "1.0.1" },
      "packages/a/src/version.ts": "2",
      "packages/a/CHANGELOG.md": "## 1.0.1",
      ".changeset/earlier.md": undefined,
    });
    expect(missing()).toEqual([]);
  });
});
