import type { Random } from "./random.ts";

const SYLLABLES = [
  "ka",
  "lo",
  "mi",
  "ter",
  "än",
  "sch",
  "ou",
  "ne",
  "par",
  "文",
  "ti",
  "ry",
] as const;

export function word(random: Random): string {
  return Array.from({ length: random.integer(1, 4) }, () => random.pick(SYLLABLES)).join("");
}

/** `count` words, with a full stop. */
export function sentence(random: Random, count = random.integer(4, 16)): string {
  return `${Array.from({ length: count }, () => word(random)).join(" ")}.`;
}
