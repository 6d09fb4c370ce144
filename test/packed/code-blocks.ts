/** A TypeScript code block of a document. */
export interface CodeBlock {
  /** Such as `README.md, line 12`. */
  readonly title: string;
  readonly code: string;
}

/** Those marked `ts` and nothing more: what follows the word names a test of its own. */
export function codeBlocks(file: string, text: string): CodeBlock[] {
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(({ index, 1: code = "" }) => ({
    title: `${file}, line ${text.slice(0, index).split("\n").length}`,
    code,
  }));
}

/** What readers have of their own, and the blocks before have shown, by name. */
const KNOWN: Readonly<Record<string, string>> = {
  doc: 'declare const doc: import("yjs").Doc;',
  server: 'declare const server: import("teleportal").Server<{ readonly user: string }>;',
  port: "declare const port: number;",
  userOf:
    'declare function userOf(request: import("node:http").IncomingMessage): Promise<string | undefined>;',
  createRedisServerSyncTransportFactory:
    'import { createRedisServerSyncTransportFactory } from "teleportal/server";',
};

/** The block as a module that can be compiled. */
export function asModule({ code }: CodeBlock): string {
  const missing = Object.entries(KNOWN).filter(([name]) => {
    const uses = new RegExp(`(?<![.\\w"/])${name}\\b(?!:)`).test(code);
    const declares = new RegExp(
      `(?:const|let|function) (?:{[^}]*)?${name}\\b|import {[^}]*\\b${name}\\b`,
    ).test(code);
    return uses && !declares;
  });
  return [...missing.map(([, declaration]) => declaration), code, "export {};", ""].join("\n");
}
