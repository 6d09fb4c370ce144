/**
 * `npm run changesets`: whether each published package that has changed since the main branch has a changeset that says so.
 * `-- --since origin/main` names another branch, which has to be there then.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";
import { missingChangesets } from "./missing-changesets.js";
import { root } from "./setup.js";

const { values } = parseArgs({ options: { since: { type: "string" } } });
const branches = values.since === undefined ? ["origin/main", "main"] : [values.since];
const base = branches.map(mergeBase).find((commit) => commit !== undefined);

if (base === undefined && values.since !== undefined) {
  console.error(
    `[changesets] no commit is shared with ${values.since}: fetch it, with its history`,
  );
  process.exitCode = 1;
} else if (base === undefined) {
  console.log("skipped: there is no main branch to compare with");
} else if (base === git("rev-parse", "HEAD")) {
  console.log("skipped: no commit is ahead of the main branch");
} else {
  const missing = missingChangesets(root, base);
  for (const name of missing) {
    console.error(
      `[changesets] ${name} has changed and no changeset says so: npx changeset, or npx changeset add --empty if no user notices`,
    );
  }
  if (missing.length === 0) console.log("every published package that has changed has a changeset");
  process.exitCode = missing.length === 0 ? 0 : 1;
}

function mergeBase(branch) {
  return git("merge-base", branch, "HEAD");
}

function git(...args) {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
