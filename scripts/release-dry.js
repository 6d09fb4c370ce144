/**
 * `npm run release:dry`: all of a release but the publishing, in a copy of the last commit. Versions and changelogs from the
 * changesets, build, publint and attw, tarballs, and what is in them.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { packAll, publishedPackages, runTool } from "./pack.js";
import { root, setUp } from "./setup.js";

/**
 * The most that a tarball may have, in KiB: about a quarter above what it has, so that something that does not belong in it is
 * noticed, such as a test, a recording or somebody else's code.
 */
const BUDGETS = {
  "@teleportal/sync-core": 260,
  "@teleportal/sync-google-pubsub": 50,
  "@teleportal/sync-memory": 8,
  "@teleportal/sync-nats": 40,
  "@teleportal/sync-redis": 65,
  teleportal: 190,
};

/** What a published package holds. Sources are for debuggers and for declaration maps. */
const EXPECTED =
  /^(?:(?:dist|src|bin|docs|grafana)\/[\w./-]+\.(?:js|d\.ts|d\.ts\.map|js\.map|ts|md|json)|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/;

setUp();
const copy = mkdtempSync(join(tmpdir(), "teleportal-release-"));
try {
  step("the last commit, in a folder of its own");
  runTool(root, "git", ["clone", "--quiet", root, copy]);
  runTool(root, "pnpm", ["install", "--frozen-lockfile", "--prefer-offline"]);

  step("versions and changelogs, from the changesets");
  runTool(copy, "changeset", ["version"]);
  const changes = runTool(copy, "git", ["status", "--porcelain"]);
  if (changes === "") console.log("there is no changeset: every package stays as it is");

  step("the lockfile still fits");
  runTool(copy, "pnpm", ["install", "--frozen-lockfile", "--prefer-offline"]);

  step("build, publint, attw");
  runTool(copy, "turbo", ["run", "check:package", "--output-logs=errors-only"]);

  step("tarballs");
  const mistakes = [];
  const packed = packAll(copy, join(copy, "tarballs"));
  console.log("package                          version    tarball   budget  unpacked  files");
  for (const [name, { version, size, unpacked, paths }] of packed) {
    const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
    const budget = BUDGETS[name];
    console.log(
      [
        name.padEnd(32),
        version.padEnd(8),
        kib(size).padStart(9),
        `${budget} KiB`.padStart(8),
        kib(unpacked).padStart(9),
        String(paths.length).padStart(6),
      ].join(" "),
    );
    if (budget === undefined) mistakes.push(`${name} has no budget: give it one in this script`);
    if (size > budget * 1024) mistakes.push(`${name} has ${kib(size)}: see what came in`);
    for (const path of paths) {
      if (!EXPECTED.test(path)) mistakes.push(`${name} holds ${path}: leave it out of "files"`);
    }
  }
  for (const { path, manifest } of publishedPackages(copy)) {
    const { version } = manifest;
    const changelog = changes === "" ? version : readFileSync(join(path, "CHANGELOG.md"), "utf8");
    if (!changelog.includes(version)) {
      mistakes.push(`the changelog of ${manifest.name} says nothing of ${version}`);
    }
    const { tarball } = packed.get(manifest.name);
    const inside = runTool(copy, "tar", ["-xzOf", tarball, "package/package.json"]);
    if (inside.includes('"workspace:')) mistakes.push(`${manifest.name} refers to the workspace`);
  }
  for (const mistake of mistakes) console.error(`[release] ${mistake}`);
  console.log(mistakes.length === 0 ? "\nall is well; nothing was published" : "");
  process.exitCode = mistakes.length === 0 ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true });
}

function step(title) {
  console.log(`\n── ${title}`);
}
