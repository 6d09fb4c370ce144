import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** A file that a page shows, or the region of it. */
export interface Inclusion {
  /** Absolute. */
  readonly file: string;
  readonly region: string | undefined;
}

const INCLUDE = /<!--\s*@include:\s*(.*?)\s*-->/g;
const PARTS = /^(.*?)(?:#([\w-]+))?(?:\{\d*,\d*\})?$/;

/** What VitePress puts in the place of a page's `@include` comments; it skips in silence what it cannot find. */
export function inclusionsOf(page: string): Inclusion[] {
  return [...readFileSync(page, "utf8").matchAll(INCLUDE)].map(([, path = ""]) => {
    const [, file = "", region] = PARTS.exec(path) ?? [];
    return {
      file: resolve(dirname(page), file),
      region,
    };
  });
}

/** What lies beside the pages. `api` is generated, and all its own. */
const NO_PAGES = new Set(["api", "node_modules", "test"]);

/** The absolute paths of the site's own Markdown. */
export function ownPages(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || NO_PAGES.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ownPages(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** `/migrate/from-hocuspocus` for that page; `/` for `index.md`. */
export function routeOf(site: string, page: string): string {
  return `/${relative(site, page)
    .replaceAll("\\", "/")
    .replace(/(?:index)?\.md$/, "")}`;
}

/** Which page shows a file of the repository, by absolute path; a part of one is under `path#region`, the region's heading. */
export function routesByFile(site: string): Map<string, string> {
  const routes = new Map<string, string>();
  for (const page of ownPages(site)) {
    const route = routeOf(site, page);
    routes.set(page, route);
    for (const { file, region } of inclusionsOf(page)) {
      if (!existsSync(file)) continue;
      routes.set(region === undefined ? file : `${file}#${region}`, route);
    }
  }
  return routes;
}
