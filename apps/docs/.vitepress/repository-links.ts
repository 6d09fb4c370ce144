import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { MarkdownRenderer } from "vitepress";
import { inclusionsOf, routesByFile } from "./site-pages.ts";

export interface RepositoryLinkSettings {
  /** The folders of the site and of the repository. */
  readonly site: string;
  readonly repository: string;
  /** Where files of the repository can be seen, up to their path; `undefined`: their names are shown without a link. */
  readonly url: string | undefined;
}

/** Where a link of a page leads. */
export type LinkTarget =
  | { readonly type: "as it is" }
  | { readonly type: "page"; readonly href: string }
  | { readonly type: "repository"; readonly path: string; readonly hash: string };

/**
 * Resolves a link in a page or in what it includes. Such files link to each other by their places in the repository,
 * so that the links work where the repository is browsed; here they have to lead to the pages that show these files.
 *
 * @param page Absolute.
 * @throws Error for a relative link to what is not there
 */
export function targetOf(
  href: string,
  page: string,
  { repository, routes }: { readonly repository: string; readonly routes: Map<string, string> },
): LinkTarget {
  if (/^(?:[a-z][a-z+.-]*:|\/|#)/i.test(href)) return { type: "as it is" };
  const [path = "", fragment] = href.split("#");
  const hash = fragment === undefined ? "" : `#${fragment}`;
  const places = [page, ...inclusionsOf(page).map(({ file }) => file)];
  const file = places.map((from) => resolve(dirname(from), path)).find((one) => existsSync(one));
  if (file === undefined) {
    throw new Error(
      `[docs] ${relative(repository, page)} leads to ${href}, which is not there: correct the link`,
    );
  }
  const shown = statSync(file).isDirectory() ? join(file, "README.md") : file;
  const part = routes.get(shown + hash);
  if (hash !== "" && part !== undefined) return { type: "page", href: part + hash };
  const route = routes.get(shown);
  if (route !== undefined) return { type: "page", href: route + hash };
  return { type: "repository", path: relative(repository, file).replaceAll("\\", "/"), hash };
}

/** Makes VitePress follow such links, and look for images where the file is that shows them. */
export function followRepositoryLinks(
  md: MarkdownRenderer,
  settings: RepositoryLinkSettings,
): void {
  const routes = routesByFile(settings.site);
  md.core.ruler.push("repository links", (state) => {
    const env = state.env as { readonly path?: string; readonly realPath?: string };
    const page = env.realPath ?? env.path;
    // Text without a page is a title or the like.
    if (page === undefined || page.startsWith(join(settings.site, "api"))) return;
    for (const { children } of state.tokens) {
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const target = targetOf(token.attrGet("href") ?? "", page, { ...settings, routes });
          if (target.type === "page") token.attrSet("href", target.href);
          else if (target.type === "repository") {
            const { path, hash } = target;
            token.attrs =
              settings.url === undefined
                ? [["title", `in the repository: ${path}`]]
                : [["href", `${settings.url.replace(/\/$/, "")}/${path}${hash}`]];
          }
        } else if (token.type === "image") {
          token.attrSet("src", imageOf(token.attrGet("src") ?? "", page));
        }
      }
    }
  });
}

function imageOf(src: string, page: string): string {
  if (/^(?:[a-z][a-z+.-]*:|\/)/i.test(src)) return src;
  const places = [page, ...inclusionsOf(page).map(({ file }) => file)];
  const file = places.map((from) => resolve(dirname(from), src)).find((one) => existsSync(one));
  return file === undefined ? src : relative(dirname(page), file).replaceAll("\\", "/");
}
