import { posix } from "node:path";

/** What a published package is made of. Sources are for debuggers and for declaration maps. */
const MEANT = [
  /^dist\/.+\.(?:js|d\.ts)(?:\.map)?$/,
  /^src\/.+\.ts$/,
  /^bin\/.+\.js$/,
  /^grafana\/.+\.json$/,
  /^(?:package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
];

/** Tests may lie between the sources, and have their names there. */
const TEST = /(?:^|\/)(?:tests?|__tests__|fixtures)\/|\.(?:test|spec|bench|node)\.[^/]+$/;

/**
 * What is wrong with the files of a tarball, a sentence each.
 *
 * @param paths relative to the package
 * @param read the text of one of them
 */
export function mistakesIn(paths, read) {
  const there = new Set(paths);
  const mistakes = paths
    .filter((path) => TEST.test(path) || !MEANT.some((pattern) => pattern.test(path)))
    .map((path) => `it holds ${path}: leave it out of "files"`);
  for (const path of paths.filter((one) => one.endsWith(".map"))) {
    // A debugger that follows a map to a file that was left behind shows nothing, and says nothing.
    const { sources = [], sourceRoot = "", sourcesContent } = JSON.parse(read(path));
    if (sourcesContent) continue;
    const missing = sources
      .map((source) => posix.join(posix.dirname(path), sourceRoot, source))
      .filter((source) => !there.has(source));
    for (const source of missing)
      mistakes.push(`${path} maps to ${source}, which it does not hold`);
  }
  return mistakes;
}
