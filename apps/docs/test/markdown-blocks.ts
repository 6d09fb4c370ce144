import { readFileSync } from "node:fs";

/** A fenced block of a page. */
export interface MarkdownBlock {
  readonly language: string;
  readonly content: string;
  /** The line of the page on which its content begins, from 1. */
  readonly line: number;
  /** What a hidden comment directly above it adds, so that a fragment can be compiled. */
  readonly preamble: string;
}

const BLOCK =
  /(?:^<!-- The block below needs\n(?<preamble>[\s\S]*?)^-->\n\s*)?^```(?<language>\w+)[^\n]*\n(?<content>[\s\S]*?)^```$/gm;

/** All blocks of a Markdown file that name a language. */
export function blocksOf(file: string): MarkdownBlock[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(BLOCK)].map(({ index, 0: whole, groups }) => {
    const { preamble = "", language = "", content = "" } = groups ?? {};
    const start = index + whole.length - content.length - "```".length;
    return { language, content, preamble, line: text.slice(0, start).split("\n").length };
  });
}
