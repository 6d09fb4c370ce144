import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SyncError } from "../../sync-error.ts";
import type { ConformanceTarget } from "../target.ts";

const NAME = "teleportal-conformance";

/**
 * Loads a target from a module that exports `target`, or a function `createTarget`; a default export of either kind
 * does as well.
 *
 * @throws SyncError for a file that cannot be loaded, and for one that exports no target.
 */
export async function loadTarget(file: string): Promise<ConformanceTarget> {
  const url = pathToFileURL(resolve(file)).href;
  const module = await importModule(file, url);
  const exported = module["target"] ?? module["createTarget"] ?? module["default"];
  const target = typeof exported === "function" ? await (exported() as unknown) : exported;
  if (isTarget(target)) return target;
  throw new SyncError(
    NAME,
    `${file} exports no conformance target`,
    "export `target`, or a function `createTarget`, that has a `name` and `openDriver` or `openFactory`",
  );
}

async function importModule(file: string, url: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    if (!isUnknownExtension(cause)) {
      throw new SyncError(NAME, `${file} cannot be loaded`, "see the cause", cause);
    }
  }
  try {
    // Found from the file's own folder: it is the user's tool, not a dependency of this package.
    const tsx = createRequire(url).resolve("tsx/esm/api");
    const { register } = (await import(pathToFileURL(tsx).href)) as { register(): void };
    register();
  } catch (cause) {
    throw new SyncError(
      NAME,
      `${file} is TypeScript, which this Node does not read`,
      "npm install --save-dev tsx, or use Node 22.18 or newer",
      cause,
    );
  }
  return (await import(url)) as Readonly<Record<string, unknown>>;
}

function isUnknownExtension(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ERR_UNKNOWN_FILE_EXTENSION";
}

function isTarget(value: unknown): value is ConformanceTarget {
  if (typeof value !== "object" || value === null || !("name" in value)) return false;
  return "openDriver" in value || "openFactory" in value;
}
