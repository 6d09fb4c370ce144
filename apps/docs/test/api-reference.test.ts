import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { API_ENTRIES } from "../.vitepress/api-entries.ts";

const SITE = fileURLToPath(new URL("..", import.meta.url));
const PACKAGES = resolve(SITE, "../../packages");

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** By what can be imported of the published packages, the source that it is of. */
const sources = new Map(
  readdirSync(PACKAGES).flatMap((folder) => {
    const file = join(PACKAGES, folder, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
    if (manifest.private === true) return [];
    return Object.entries(manifest.exports).map(
      ([entry, conditions]) =>
        [
          manifest.name + entry.slice(1),
          relative(SITE, join(PACKAGES, folder, conditions["@teleportal/source"] ?? "")),
        ] as const,
    );
  }),
);

describe("the API reference", () => {
  it("has an entry for all that can be imported, and no other", () => {
    expect(API_ENTRIES.toSorted()).toEqual([...sources.keys()].toSorted());
  });

  it("is generated from the sources of all of them", () => {
    const settings = JSON.parse(readFileSync(join(SITE, "typedoc.json"), "utf8")) as {
      readonly entryPoints: readonly string[];
    };
    expect(settings.entryPoints.toSorted()).toEqual([...sources.values()].toSorted());
  });
});
