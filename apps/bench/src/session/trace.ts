import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { recordSession, textOf } from "./editing-session.ts";
import type { EditingSession } from "./editing-session.ts";

/** A recording in the format of github.com/josephg/editing-traces, gzipped or not. */
interface Trace {
  readonly txns: readonly { readonly patches: readonly (readonly [number, number, string])[] }[];
  readonly endContent: string;
}

/**
 * @throws Error for a file that is no sequential trace: `txns[].patches[]` of `[position, deleted, inserted]`.
 */
export function readTrace(file: string, client: number): EditingSession {
  const trace = parse(file);
  const [first] = trace.txns;
  if (first === undefined || "parents" in first) {
    throw new Error(
      `[bench] ${file} is no sequential trace: use one of the *_flat or single-author recordings`,
    );
  }
  const edits = trace.txns.flatMap(({ patches }) =>
    patches.map(([position, deleted, inserted]) => ({ position, deleted, inserted })),
  );
  const session = recordSession(basename(file), client, edits);
  if (textOf(session.keystrokes.map(({ update }) => update)) !== trace.endContent) {
    throw new Error(`[bench] ${file} does not end in its own endContent: take a whole one`);
  }
  return session;
}

function parse(file: string): Trace {
  try {
    const bytes = readFileSync(file);
    const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return JSON.parse((isZipped ? gunzipSync(bytes) : bytes).toString("utf8")) as Trace;
  } catch (cause) {
    throw new Error(`[bench] ${file} cannot be read: give an editing trace`, { cause });
  }
}
