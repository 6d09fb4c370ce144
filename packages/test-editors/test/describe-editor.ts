import { writeTogether } from "@teleportal/test-editors/write-together";
import type { EditorKind } from "@teleportal/test-editors/editor";
import type { WritingStyle, WrittenDocument } from "@teleportal/test-editors/write-together";
import { describe, it } from "vitest";
import { MOBILE_SITUATION, PLAIN_SITUATIONS, SITUATIONS } from "./situations.ts";

/** `EDITORS=all`: every size, and more documents of each. */
const ALL = process.env["EDITORS"] === "all";

/** From here on a document takes a minute to be written: one of them is enough, in bytes. */
const HUGE_BYTES = 1_000_000;

/** Time for the largest document on a slow machine, in milliseconds. */
const TIMEOUT_MS = 300_000;

interface DocumentSort {
  readonly bytes: number;
  readonly style: WritingStyle;
}

/** The documents that an editor is tried with. */
export interface Documents {
  readonly usual: readonly DocumentSort[];
  /** Those of `EDITORS=all`, besides the usual ones. */
  readonly more: readonly DocumentSort[];
}

/** The table of situations for one editor. Each document is written once, when the first situation needs it. */
export function describeEditor(kind: EditorKind, { usual, more }: Documents): void {
  for (const { bytes, style } of ALL ? [...usual, ...more] : usual) {
    for (const seed of ALL && bytes < HUGE_BYTES ? [1, 2, 3] : [1]) {
      let writing: Promise<WrittenDocument> | undefined;
      const write = () => (writing ??= writeTogether({ kind, bytes, style, seed }));
      const what = `${bytes / 1000} KB that authors wrote in ${style} with ${kind.name} (seed ${seed})`;

      describe(what, { timeout: TIMEOUT_MS }, () => {
        const mobile = ALL && bytes >= HUGE_BYTES ? [MOBILE_SITUATION] : [];
        for (const [server, situations] of [
          ["a plain y-websocket server", PLAIN_SITUATIONS],
          ["this server", [...SITUATIONS, ...mobile]],
        ] as const) {
          describe(`are what they wrote, on ${server}`, () => {
            for (const { name, run } of situations) {
              it(name, async () => {
                await run(await write());
              });
            }
          });
        }
      });
    }
  }
}
