/**
 * `npm run release:dry`: all of a release but the publishing, in a copy of the last commit. Versions and changelogs from the
 * changesets, build, publint and attw, tarballs, and what is in them.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { packAll, publishedPackages, runTool } from "./pack.js";
import { mistakesIn } from "./tarball-contents.js";
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

setUp();
const copy = mkdtempSync(join(tmpdir(), "teleportal-release-"));
try {
  step("the last commit, in a folder of its own");
  runTool(root, "git", ["clone", "--quiet", root, copy]);
  // It has no pnpm of its own until this one has installed it.
  const pnpm = join(root, "node_modules", ".bin", "pnpm");
  runTool(copy, pnpm, ["install", "--frozen-lockfile", "--prefer-offline"]);

  step("versions and changelogs, from the changesets");
  const versions = () =>
    new Map(publishedPackages(copy).map(({ manifest }) => [manifest.name, manifest.version]));
  const before = versions();
  runTool(copy, "changeset", ["version"]);
  for (const [name, version] of versions()) {
    const previous = before.get(name);
    console.log(`${name.padEnd(32)} ${previous}${version === previous ? "" : ` → ${version}`}`);
  }

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
        `${budget ?? "?"} KiB`.padStart(8),
        kib(unpacked).padStart(9),
        String(paths.length).padStart(6),
      ].join(" "),
    );
    if (budget === undefined) mistakes.push(`${name} has no budget: give it one in this script`);
    else if (size > budget * 1024) mistakes.push(`${name} has ${kib(size)}: see what came in`);
  }
  for (const { path, manifest } of publishedPackages(copy)) {
    const { name, version } = manifest;
    const { tarball, paths } = packed.get(name);
    const packedManifest = runTool(copy, "tar", ["-xzOf", tarball, "package/package.json"]);
    const read = (file) => readFileSync(join(path, file), "utf8");
    for (const mistake of mistakesIn(paths, read)) mistakes.push(`${name}: ${mistake}`);
    if (packedManifest.includes('"workspace:')) {
      mistakes.push(`${name} refers to the workspace: pack it with pnpm`);
    }
    if (version === before.get(name)) continue;
    const file = join(path, "CHANGELOG.md");
    const changelog = existsSync(file) ? readFileSync(file, "utf8") : "";
    if (!changelog.split("\n").includes(`## ${version}`)) {
      mistakes.push(`${name} has no "## ${version}" in its CHANGELOG.md: see its changesets`);
    }
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
