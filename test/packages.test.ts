import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const PACKAGES = fileURLToPath(new URL("../packages", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
}

const manifests = readdirSync(PACKAGES).map((folder) => {
  const file = join(PACKAGES, folder, "package.json");
  return { folder, manifest: JSON.parse(readFileSync(file, "utf8")) as Manifest };
});

const published = manifests.filter(({ manifest }) => manifest.private !== true);

/** What the two names say of each other's versions: `^5.3.0 || ^6.0.0` has 5 and 6. */
function majorsOf(range: string): string[] {
  return [...range.matchAll(/(?:^|[\s^~>=|])(\d+)\./g)].map(([, major = ""]) => major);
}

describe.each(published)("the package in packages/$folder", ({ folder, manifest }) => {
  const inPackage = (path: string): string => join(PACKAGES, folder, path);

  it("says what a registry and a bundler want to know", () => {
    expect(manifest).toMatchObject({
      description: expect.stringMatching(/\.$/),
      license: "MIT",
      type: "module",
      sideEffects: false,
      engines: { node: ">=20.19" },
      publishConfig: { access: "public" },
    });
  });

  it("holds what it says: files, sources, commands, a README and the licence", () => {
    expect(manifest.files).toEqual(expect.arrayContaining(["dist", "src"]));
    for (const file of manifest.files ?? []) {
      if (file !== "dist") expect(existsSync(inPackage(file)), file).toBe(true);
    }
    for (const command of Object.values(manifest.bin ?? {})) {
      expect(existsSync(inPackage(command)), command).toBe(true);
    }
    for (const file of ["README.md", "LICENSE"])
      expect(existsSync(inPackage(file)), file).toBe(true);
  });

  it("exports each entry with its source, its types and its build, in the order in which they are looked at", () => {
    for (const [entry, conditions] of Object.entries(manifest.exports)) {
      expect(Object.keys(conditions), entry).toEqual(["@teleportal/source", "types", "default"]);
      const source = conditions["@teleportal/source"] ?? "";
      expect(existsSync(inPackage(source)), source).toBe(true);
      const built = source.replace("./src/", "./dist/").replace(/\.ts$/, "");
      expect(conditions).toMatchObject({ types: `${built}.d.ts`, default: `${built}.js` });
    }
  });

  it("depends on its siblings by the workspace, and never on a private one", () => {
    const siblings = new Map(manifests.map((one) => [one.manifest.name, one.manifest]));
    const { dependencies = {}, peerDependencies = {} } = manifest;
    for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
      const sibling = siblings.get(name);
      if (sibling === undefined) continue;
      expect(sibling.private, name).not.toBe(true);
      if (name in dependencies) expect(dependencies[name], name).toBe("workspace:^");
      // Changesets gives a package a new major version when a sibling leaves the range of a peer, as each minor of 0.x would.
      else expect(peerDependencies[name], name).toBe("workspace:<1.0.0");
    }
  });

  it("is tested with a version of each peer that its range allows", () => {
    for (const [name, range] of Object.entries(manifest.peerDependencies ?? {})) {
      const tested = manifest.devDependencies?.[name];
      expect(tested, name).toBeDefined();
      if (tested === undefined || tested.startsWith("workspace:")) continue;
      expect(majorsOf(range), name).toContain(tested.replace(/^\D*/, "").split(".")[0]);
    }
  });
});

it("every published package is versioned by changesets, and every change waits in one that names real packages", () => {
  const folder = fileURLToPath(new URL("../.changeset", import.meta.url));
  const names = new Set(published.map(({ manifest }) => manifest.name));
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".md"))) {
    const [, front = ""] = readFileSync(join(folder, file), "utf8").split("---");
    const named = [...front.matchAll(/^"(.+)": (?:major|minor|patch)$/gm)].map(
      ([, name = ""]) => name,
    );
    // One that names none says that no user will notice, and has nothing else to say.
    if (front.trim() !== "") expect(named.length, file).toBeGreaterThan(0);
    for (const name of named) expect(names, file).toContain(name);
  }
});
