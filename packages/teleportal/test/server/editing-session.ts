import fc from "fast-check";
import type { EditorClient } from "./connect-provider.ts";

/** One keystroke, paste or deletion by one of the clients, or a moment in which the network gets a turn. */
type Step =
  | { readonly type: "type"; readonly who: number; readonly at: number; readonly text: string }
  | { readonly type: "erase"; readonly who: number; readonly at: number; readonly count: number }
  | { readonly type: "format"; readonly who: number; readonly at: number; readonly count: number }
  | { readonly type: "turn" };

/** Nothing outside the basic plane: editors do not cut a surrogate pair in two, and Yjs diverges when one does. */
const character = fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyz ÄÖÜß文档かなщ\n"));

const position = fc.nat({ max: 1_000_000 });
const who = fc.nat({ max: 1000 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant("type" as const),
      who,
      at: position,
      text: fc.string({ unit: character, minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("erase" as const),
      who,
      at: position,
      count: fc.integer({ min: 1, max: 8 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("format" as const),
      who,
      at: position,
      count: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("turn" as const) }) },
);

/** A session of `length` steps, always the same for a seed. */
export function editingSession(seed: number, length: number): readonly Step[] {
  return fc.sample(step, { seed, numRuns: length });
}

/** Replays a session; what the clients do between two turns of the network is concurrent. */
export async function replay(
  session: readonly Step[],
  clients: readonly EditorClient[],
): Promise<void> {
  for (const action of session) {
    if (action.type === "turn") {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    const text = clients[action.who % clients.length]?.text;
    if (text === undefined) continue;
    const at = action.at % (text.length + 1);
    if (action.type === "type") text.insert(at, action.text);
    else if (action.type === "erase") text.delete(at, Math.min(action.count, text.length - at));
    else text.format(at, Math.min(action.count, text.length - at), { bold: true });
  }
}
