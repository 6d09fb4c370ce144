import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createMarkdownRenderer } from "vitepress";
import { beforeAll, describe, expect, it } from "vitest";
import { followRepositoryLinks, targetOf } from "../.vitepress/repository-links.ts";
import { inclusionsOf, ownPages, routeOf, routesByFile } from "../.vitepress/site-pages.ts";

const SITE = fileURLToPath(new URL("..", import.meta.url));
const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

/** The ids of what a page says, and where it leads. */
interface RenderedPage {
  readonly ids: ReadonlySet<string>;
  readonly links: readonly string[];
}

function render(md: Awaited<ReturnType<typeof createMarkdownRenderer>>, file: string, page = file) {
  const html = md.render(withInclusions(file), { path: page, relativePath: relative(SITE, page) });
  return {
    ids: new Set([...html.matchAll(/<h\d id="([^"]*)"/g)].map(([, id = ""]) => id)),
    links: [...html.matchAll(/<a\b[^>]* href="([^"]*)"/g)]
      .map(([, href = ""]) => href)
      .filter((href) => !href.startsWith("#") || href.length > 1),
  };
}

/** As VitePress does it, for the pages that are here: nothing that is included includes. */
function withInclusions(file: string): string {
  return readFileSync(file, "utf8").replace(/<!--\s*@include:\s*(.*?)\s*-->/g, (_all, path) => {
    const [name = "", region] = String(path).split("#");
    const text = readFileSync(resolve(dirname(file), name), "utf8");
    return region === undefined ? text : regionOf(text, region);
  });
}

function regionOf(text: string, name: string): string {
  const [, inside = ""] =
    new RegExp(`^<!-- #region ${name} -->$([\\s\\S]*?)^<!-- #endregion ${name} -->$`, "m").exec(
      text,
    ) ?? [];
  return inside;
}

/** The Markdown that is read where the repository is browsed. */
function markdownIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NO_SOURCE.test(entry.name) ? [] : markdownIn(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** What is installed, built or generated, and what hides. */
const NO_SOURCE = /^(?:node_modules|dist|api|\..*)$/;

describe("the links of the site", () => {
  const pages = new Map<string, RenderedPage>();

  beforeAll(async () => {
    const md = await createMarkdownRenderer(SITE, {
      config: (renderer) => {
        followRepositoryLinks(renderer, { site: SITE, repository: REPOSITORY, url: undefined });
      },
    });
    for (const page of ownPages(SITE)) pages.set(routeOf(SITE, page), render(md, page));
  });

  it("include what is there, and regions that are", () => {
    const missing = ownPages(SITE).flatMap((page) =>
      inclusionsOf(page)
        .filter(
          ({ file, region }) =>
            !existsSync(file) ||
            (region !== undefined && regionOf(readFileSync(file, "utf8"), region) === ""),
        )
        .map(({ file, region }) => `${relative(SITE, page)}: ${file}#${region}`),
    );
    expect(missing).toEqual([]);
  });

  it("lead to pages and headings that there are", () => {
    const dead: string[] = [];
    let checked = 0;
    for (const [route, { ids, links }] of pages) {
      for (const link of links) {
        if (/^[a-z]+:/i.test(link) || link.startsWith("/api/")) continue;
        checked += 1;
        const [path = "", id] = link.split("#");
        const target = path === "" ? ids : pages.get(path.replace(/\.html$/, ""))?.ids;
        if (target === undefined || (id !== undefined && !target.has(decodeURIComponent(id)))) {
          dead.push(`${route}: ${link}`);
        }
      }
    }
    expect(checked).toBeGreaterThan(100);
    expect(dead).toEqual([]);
  });

  it("that cannot be followed are told with the page that has them", () => {
    const routes = routesByFile(SITE);
    expect(() =>
      targetOf("no-such.md", join(SITE, "start.md"), { repository: REPOSITORY, routes }),
    ).toThrow("[docs] apps/docs/start.md leads to no-such.md, which is not there");
  });

  it("lead from an included file to the page that shows the other", () => {
    const where = { repository: REPOSITORY, routes: routesByFile(SITE) };
    expect(targetOf("README.md#limits", join(SITE, "security.md"), where)).toEqual({
      type: "page",
      href: "/storage-and-limits#limits",
    });
    expect(targetOf("conformance.md", join(SITE, "write-an-adapter.md"), where)).toEqual({
      type: "page",
      href: "/conformance",
    });
    expect(targetOf("../src/contract/driver.ts", join(SITE, "write-an-adapter.md"), where)).toEqual(
      { type: "repository", path: "packages/sync-core/src/contract/driver.ts", hash: "" },
    );
  });
});

describe("the links of the repository's Markdown", () => {
  it("lead to files and headings that there are", async () => {
    const md = await createMarkdownRenderer(SITE);
    const idsOf = new Map<string, ReadonlySet<string>>();
    const headings = (file: string): ReadonlySet<string> => {
      const ids = idsOf.get(file) ?? render(md, file).ids;
      idsOf.set(file, ids);
      return ids;
    };
    const dead: string[] = [];
    let checked = 0;
    for (const page of markdownIn(REPOSITORY)) {
      for (const [, href = ""] of readFileSync(page, "utf8").matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(?:[a-z][a-z+.-]*:|\/)/i.test(href)) continue;
        checked += 1;
        const [path = "", id] = href.split("#");
        const file = path === "" ? page : resolve(dirname(page), path);
        const there =
          existsSync(file) && (id === undefined || !file.endsWith(".md") || headings(file).has(id));
        if (!there) dead.push(`${relative(REPOSITORY, page)}: ${href}`);
      }
    }
    expect(checked).toBeGreaterThan(80);
    expect(dead).toEqual([]);
  });
});
