import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import type { Random } from "./random.ts";

/** An editor that is bound to a document, as its users have it before them. */
export interface Editor {
  /** What it shows, as the editor's own JSON. */
  content(): unknown;
  /** Writes a new part somewhere, of a kind whose half is dangerous: a list, a table, a quote. One transaction. */
  write(random: Random): void;
  /** Changes something small somewhere, by a command of the editor. One transaction, or a few. */
  edit(random: Random): void;
  /** Types a word somewhere. One transaction, which always changes something. */
  type(random: Random): void;
  /** What it has thrown on what came from others. */
  readonly errors: readonly unknown[];
  destroy(): void;
}

export interface EditorKind {
  readonly name: string;
  /**
   * Whether its binding comes to one end when several write at once; if not, they do it in turn.
   * @default "at once"
   */
  readonly authors?: "at once" | "in turn";
  /** Opens an editor on a document, which is empty as a rule: its content comes later, from the provider. */
  open(doc: Y.Doc, awareness: Awareness): Editor;
}
