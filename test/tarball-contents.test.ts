import { describe, expect, it } from "vitest";
import { mistakesIn } from "../scripts/tarball-contents.js";

const MAPS: Readonly<Record<string, string>> = {
  "dist/a.js.map": '{"sourceRoot":"","sources":["../src/a.ts"]}',
  "dist/a.d.ts.map": '{"sources":["../src/a.ts"]}',
};

const GOOD = [
  "dist/a.js",
  "dist/a.d.ts",
  ...Object.keys(MAPS),
  "src/a.ts",
  "bin/command.js",
  "grafana/board.json",
  "package.json",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
];

const check = (paths: readonly string[]) => mistakesIn(paths, (path) => MAPS[path] ?? "");

describe("a tarball", () => {
  it("may hold what is built, the sources that maps lead to, commands and papers", () => {
    expect(check(GOOD)).toEqual([]);
  });

  it.each([
    "test/a.test.ts",
    "src/a.test.ts",
    "src/a.node.ts",
    "src/test/a.ts",
    "src/fixtures/recording.json",
    "dist/a.ts",
    "dist/.tsbuildinfo",
    "bin/command.ts",
    ".env",
    "a.js",
  ])("may not hold %s", (path) => {
    expect(check([...GOOD, path])).toEqual([`it holds ${path}: leave it out of "files"`]);
  });

  it("may not hold a map to a source that was left behind", () => {
    expect(check(GOOD.filter((path) => path !== "src/a.ts"))).toEqual([
      "dist/a.js.map maps to src/a.ts, which it does not hold",
      "dist/a.d.ts.map maps to src/a.ts, which it does not hold",
    ]);
  });
});
