import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { publishedPackages, runTool } from "./pack.js";

/** What of a manifest its users never get to see. */
const OF_THE_HOUSE = ["devDependencies", "scripts"];

/**
 * The published packages of which something that is published has changed since a commit, and which no changeset
 * since then names. `changeset status` is content with any changeset, of whichever package.
 *
 * A changeset that names nothing (`changeset add --empty`) says that users will not notice. A package with another version
 * than then is being released: its changesets were used up.
 */
export function missingChangesets(workspace, since) {
  const git = (...args) => runTool(workspace, "git", args);
  const changed = (...paths) =>
    git("diff", "--name-only", "--no-renames", since, "HEAD", "--", ...paths)
      .split("\n")
      .filter((path) => path !== "");

  function manifestThen(folder) {
    const path = `packages/${folder}/package.json`;
    // Listed first, since a commit that lacks a file and a broken repository fail alike.
    if (git("ls-tree", "--name-only", since, path) === "") return undefined;
    return JSON.parse(git("show", `${since}:${path}`));
  }

  const noticed = publishedPackages(workspace).filter(({ path, manifest }) => {
    const folder = basename(path);
    const then = manifestThen(folder);
    if (then === undefined) return true;
    if (then.version !== manifest.version) return false;
    if (published(then) !== published(manifest)) return true;
    return changed(...manifest.files.map((file) => `packages/${folder}/${file}`)).length > 0;
  });

  const added = changed(".changeset/*.md").flatMap((path) => {
    const present = git("ls-tree", "--name-only", "HEAD", path) !== "";
    return present ? [namedIn(readFileSync(join(workspace, path), "utf8"))] : [];
  });
  if (added.some((names) => names.length === 0)) return [];
  const named = new Set(added.flat());
  return noticed.map(({ manifest }) => manifest.name).filter((name) => !named.has(name));
}

function published(manifest) {
  return JSON.stringify(manifest, (key, value) => (OF_THE_HOUSE.includes(key) ? undefined : value));
}

/** The packages that a changeset names. */
function namedIn(text) {
  const [, front = ""] = text.split(/^---$/m);
  return [...front.matchAll(/^["']?(.+?)["']?: (?:major|minor|patch)$/gm)].map(([, name]) => name);
}
