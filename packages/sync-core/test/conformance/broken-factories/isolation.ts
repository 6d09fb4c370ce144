import { renaming } from "./broken-factory.ts";
import type { BrokenFactory } from "./broken-factory.ts";

export const isolationMistakes: readonly BrokenFactory[] = [
  {
    title: "takes dots and slashes for the same",
    breaks: renaming((id) => id.replaceAll("/", ".")),
    fails: ["isolation/document-separators", "isolation/document-control-names"],
  },
  {
    title: "ignores case",
    breaks: renaming((id) => id.toLowerCase()),
    fails: ["isolation/document-case"],
  },
  {
    title: "normalises Unicode",
    breaks: renaming((id) => id.normalize("NFKC")),
    fails: ["isolation/document-spaces", "isolation/document-unicode"],
  },
  { title: "trims ids", breaks: renaming((id) => id.trim()), fails: ["isolation/document-spaces"] },
  {
    title: "decodes ids that look escaped",
    breaks: renaming((id) => id.replaceAll("%20", " ")),
    fails: ["isolation/document-escapes"],
  },
  {
    title: "cuts ids after 255 characters",
    breaks: renaming((id) => id.slice(0, 255)),
    fails: ["isolation/document-long-names"],
  },
  {
    title: "ignores asterisks",
    breaks: renaming((id) => id.replaceAll("*", "x")),
    fails: ["isolation/document-wildcards"],
  },
  {
    title: "keeps the parts of ids by their first digit",
    breaks: renaming((id) => id.replace(/-1\d*$/, "-1")),
    fails: ["isolation/document-prefixes"],
  },
];
