import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as Y from "yjs";
import type { DocumentStorage } from "../../src/storage/index.ts";
import { storageKinds } from "./storages.ts";

type Step =
  | { readonly type: "edit"; readonly at: number; readonly text: string }
  | { readonly type: "compact" | "reload" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("edit" as const),
      at: fc.nat({ max: 100 }),
      text: fc.string({ maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom("compact" as const, "reload" as const) }),
  },
);
const steps = fc.array(step, { maxLength: 20 });

async function merge(updates: readonly Uint8Array[]): Promise<Uint8Array[]> {
  return [Y.mergeUpdates([...updates])];
}

async function load(storage: DocumentStorage): Promise<Y.Doc> {
  const document = new Y.Doc();
  for (const update of await storage.load("doc")) {
    Y.applyUpdate(document, update);
  }
  return document;
}

/** An empty text deletes. */
function edit(document: Y.Doc, at: number, text: string): Uint8Array[] {
  const updates: Uint8Array[] = [];
  const collect = (update: Uint8Array): number => updates.push(update);
  const shared = document.getText("text");
  const position = Math.min(at, shared.length);
  document.on("update", collect);
  if (text === "") {
    shared.delete(position, Math.min(2, shared.length - position));
  } else {
    shared.insert(position, text);
  }
  document.off("update", collect);
  return updates;
}

function expectSameState(actual: Y.Doc, expected: Y.Doc): void {
  expect(actual.getText("text").toString()).toBe(expected.getText("text").toString());
  expect(Y.equalSnapshots(Y.snapshot(actual), Y.snapshot(expected))).toBe(true);
}

/** One instance: it edits, appends, compacts and reopens in turn, never two at once, as the server does. */
async function run(
  storage: DocumentStorage,
  acknowledged: Y.Doc,
  plan: readonly Step[],
  turn: () => Promise<void>,
): Promise<void> {
  let document = new Y.Doc();
  for (const current of plan) {
    await turn();
    switch (current.type) {
      case "edit": {
        const updates = edit(document, current.at, current.text);
        await storage.append("doc", updates);
        updates.forEach((update) => Y.applyUpdate(acknowledged, update));
        break;
      }
      case "compact":
        await storage.compact("doc", merge);
        break;
      case "reload": {
        const before = Y.encodeStateAsUpdate(acknowledged);
        document = await load(storage);
        // What was acknowledged before the call adds nothing to what was loaded, whatever the other does meanwhile.
        const completed = new Y.Doc();
        Y.applyUpdate(completed, Y.encodeStateAsUpdate(document));
        Y.applyUpdate(completed, before);
        expectSameState(document, completed);
        break;
      }
    }
  }
}

describe.each(storageKinds)("$name", ({ open }) => {
  test("any interleaving of edits, compactions and reopenings on two instances keeps every edit", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), steps, steps, async (scheduler, firstPlan, secondPlan) => {
        const storages = await open();
        const acknowledged = new Y.Doc();
        const turn = (): Promise<void> => scheduler.schedule(Promise.resolve());
        try {
          await scheduler.waitFor(
            Promise.all([
              run(storages.first, acknowledged, firstPlan, turn),
              run(storages.second, acknowledged, secondPlan, turn),
            ]),
          );
          expectSameState(await load(storages.second), acknowledged);
          await storages.first.compact("doc", merge);
          expectSameState(await load(storages.second), acknowledged);
          expect((await storages.second.load("doc")).length).toBeLessThanOrEqual(1);
        } finally {
          await storages.close();
        }
      }),
      { numRuns: 40 },
    );
  });
});
