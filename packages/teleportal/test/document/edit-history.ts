import fc from "fast-check";
import * as Y from "yjs";

/** What concurrent editors of one document have sent, in the order they sent it. */
export interface EditHistory {
  readonly updates: readonly Uint8Array[];
  /** The editors' documents, each perhaps without what others did last. */
  readonly editors: readonly Y.Doc[];
}

type Edit =
  | { readonly type: "insert"; readonly editor: number; readonly at: number; readonly text: string }
  | {
      readonly type: "erase";
      readonly editor: number;
      readonly at: number;
      readonly length: number;
    }
  | { readonly type: "set"; readonly editor: number; readonly key: string; readonly value: Value }
  | { readonly type: "unset"; readonly editor: number; readonly key: string }
  | { readonly type: "nest"; readonly editor: number; readonly key: string; readonly text: string }
  | { readonly type: "push"; readonly editor: number; readonly value: Value }
  | { readonly type: "remove"; readonly editor: number; readonly at: number }
  | { readonly type: "receive"; readonly editor: number; readonly from: number };

type Value = string | number | boolean | null;

const editor = fc.nat({ max: 3 });
const at = fc.nat({ max: 30 });
const key = fc.constantFrom("a", "b", "c");
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 4 }),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constant(null),
);
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 });

const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant("insert"), editor, at, text }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("erase"),
      editor,
      at,
      length: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("set"), editor, key, value }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("unset"), editor, key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("nest"), editor, key, text }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("push"), editor, value }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("remove"), editor, at }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("receive"), editor, from: editor }) },
);

function perform(editors: readonly Y.Doc[], step: Edit): void {
  const doc = editors[step.editor % editors.length];
  if (doc === undefined) return;
  const shared = doc.getText("text");
  const map = doc.getMap("map");
  const list = doc.getArray("list");
  switch (step.type) {
    case "insert":
      shared.insert(Math.min(step.at, shared.length), step.text);
      return;
    case "erase": {
      const start = Math.min(step.at, shared.length);
      shared.delete(start, Math.min(step.length, shared.length - start));
      return;
    }
    case "set":
      map.set(step.key, step.value);
      return;
    case "unset":
      map.delete(step.key);
      return;
    case "nest": {
      const nested = map.get(step.key);
      if (nested instanceof Y.Text) nested.insert(0, step.text);
      else map.set(step.key, new Y.Text(step.text));
      return;
    }
    case "push":
      list.push([step.value]);
      return;
    case "remove":
      if (step.at < list.length) list.delete(step.at, 1);
      return;
    case "receive": {
      const from = editors[step.from % editors.length];
      if (from === undefined || from === doc) return;
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(from, Y.encodeStateVector(doc)), "received");
    }
  }
}

/** Histories of 2 to 4 editors who type, erase, set map entries and nest types, and see each other now and then. */
export const editHistories: fc.Arbitrary<EditHistory> = fc
  .tuple(fc.integer({ min: 2, max: 4 }), fc.array(edit, { minLength: 1, maxLength: 60 }))
  .map(([count, edits]) => {
    const updates: Uint8Array[] = [];
    const editors = Array.from({ length: count }, (_, index) => {
      const doc = createDoc();
      doc.clientID = index + 1;
      doc.on("update", (update: Uint8Array, origin: unknown) => {
        if (origin !== "received") updates.push(new Uint8Array(update));
      });
      return doc;
    });
    for (const step of edits) perform(editors, step);
    return { updates, editors };
  })
  .filter((history) => history.updates.length > 0);

/** Numbers that `shuffled` and `someOf` take to choose by; fast-check makes them small when a case fails. */
export const choices: fc.Arbitrary<readonly number[]> = fc.array(fc.nat({ max: 1000 }), {
  minLength: 1,
  maxLength: 80,
});

function choice(numbers: readonly number[], index: number): number {
  return numbers[index % numbers.length] ?? 0;
}

/** All of them in another order. */
export function shuffled<Item>(items: readonly Item[], numbers: readonly number[]): Item[] {
  return items
    .map((item, index) => ({ item, by: choice(numbers, index) }))
    .sort((a, b) => a.by - b.by)
    .map(({ item }) => item);
}

/** About half of them, in the order they have. */
export function someOf<Item>(items: readonly Item[], numbers: readonly number[]): Item[] {
  return items.filter((_, index) => choice(numbers, index) % 2 === 0);
}

function createDoc(): Y.Doc {
  const doc = new Y.Doc();
  // The types are part of what is compared, so that a document without content has them as well.
  doc.getText("text");
  doc.getMap("map");
  doc.getArray("list");
  return doc;
}

export function docOf(updates: readonly Uint8Array[]): Y.Doc {
  const doc = createDoc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}
