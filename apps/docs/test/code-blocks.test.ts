import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { ownPages } from "../.vitepress/site-pages.ts";
import { blocksOf } from "./markdown-blocks.ts";

const SITE = fileURLToPath(new URL("..", import.meta.url));
// The workspace's compiler: TypeDoc has brought an older one here.
const TSC = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));

/** Inside the package, so that its dependencies are found. */
const folder = mkdtempSync(join(SITE, "test", ".code-blocks-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Complaint {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

function compile(): Promise<readonly Complaint[]> {
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../../../tsconfig.base.json",
      compilerOptions: {
        noEmit: true,
        customConditions: ["@teleportal/source"],
        // An example ends before what it has made is used.
        noUnusedLocals: false,
        noUnusedParameters: false,
        types: ["node"],
        typeRoots: ["../../../../node_modules/@types"],
      },
      // A pattern would pass over a folder whose name begins with a dot.
      files: readdirSync(folder).filter((name) => name.endsWith(".ts")),
    }),
  );
  return new Promise((resolve, reject) => {
    const args = [TSC, "-p", folder, "--noEmit", "--strict", "--pretty", "false"];
    execFile(process.execPath, args, { cwd: folder }, (error, stdout, stderr) => {
      const complaints = [...stdout.matchAll(/^(.*?)\((\d+),\d+\): error (.*)$/gm)].map(
        ([, file = "", line, message = ""]) => ({ file, line: Number(line), message }),
      );
      if (error !== null && complaints.length === 0) {
        reject(new Error(`[docs] tsc did not run: ${stdout}${stderr}`, { cause: error }));
      } else resolve(complaints);
    });
  });
}

describe("the TypeScript of the pages", () => {
  const blocks = ownPages(SITE).flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => language === "ts")
      .map((block) => ({ ...block, page: relative(SITE, page) })),
  );

  it("is all found, hidden preambles too", () => {
    expect(blocks.length).toBeGreaterThan(8);
    expect(blocks.filter(({ preamble }) => preamble !== "").length).toBeGreaterThan(4);
  });

  it("compiles, as its readers would have it", { timeout: 60_000 }, async () => {
    const written = new Map<string, { readonly page: string; readonly line: number }>(
      blocks.map((block, index) => {
        const { preamble, content } = block;
        // What a preamble says of a module that is not installed is for the program, and must not stand in a module.
        const modules = /^declare module "[^"]*"(?:;| \{\n[\s\S]*?^\})\n/gm;
        const ambient = preamble.match(modules)?.join("") ?? "";
        const own = preamble.replace(modules, "");
        writeFileSync(join(folder, `modules-${index}.d.ts`), ambient);
        writeFileSync(join(folder, `block-${index}.ts`), own + content);
        const before = own.split("\n").length - 1;
        return [`block-${index}.ts`, { page: block.page, line: block.line - before }] as const;
      }),
    );
    const complaints = (await compile()).map(({ file, line, message }) => {
      const block = written.get(file);
      return block === undefined
        ? `${file}:${line}: ${message}`
        : `${block.page}:${block.line + line - 1}: ${message}`;
    });
    expect(complaints).toEqual([]);
  });

  it("is refused where it is wrong: the check can fail", { timeout: 60_000 }, async () => {
    writeFileSync(
      join(folder, "wrong.ts"),
      'import { Server } from "teleportal";\nnew Server({ getStorage: 1 });\n',
    );
    const complaints = await compile();
    rmSync(join(folder, "wrong.ts"));
    expect(complaints).toEqual([expect.objectContaining({ file: "wrong.ts", line: 2 })]);
  });
});
