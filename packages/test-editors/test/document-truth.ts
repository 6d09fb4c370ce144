import { firstDifference } from "@teleportal/test-editors/first-difference";
import { createRandom } from "@teleportal/test-editors/random";
import { expect } from "vitest";
import * as Y from "yjs";
import { openClient } from "./client.ts";
import type { Client } from "./client.ts";
import { untilAllHold } from "./until-all-hold.ts";

/** What a document is, by what its authors did and nothing else. */
export interface DocumentTruth {
  readonly doc: Y.Doc;
  /** Somebody has written more. */
  add(updates: readonly Uint8Array[]): void;
}

export function createTruth(updates: readonly Uint8Array[]): DocumentTruth {
  const doc = new Y.Doc();
  // In one transaction: nothing in between was anybody's document.
  Y.applyUpdate(doc, Y.mergeUpdates([...updates]));
  return {
    doc,
    add(more) {
      for (const update of more) Y.applyUpdate(doc, update);
    },
  };
}

/** Waits for all clients to hold the truth, and expects their editors to show `content`. */
export async function expectAllThere(
  clients: readonly Client[],
  truth: DocumentTruth,
  content: unknown,
  timeout?: number,
): Promise<void> {
  await untilAllHold(clients, truth.doc, timeout);
  for (const { name, editor } of clients) {
    if (editor === undefined) continue;
    expect(firstDifference(editor.content(), content), `what ${name} shows`).toBeUndefined();
    expect(editor.errors, `what the editor of ${name} has thrown`).toEqual([]);
  }
}

/**
 * Expects that all clients go on together: an edit by each arrives everywhere, and is all that has changed. An edit stands behind whatever
 * its client has sent before, so by then nothing else was sent. Then the server is asked what it holds.
 */
export async function expectToGoOn(
  clients: readonly Client[],
  truth: DocumentTruth,
  where: { readonly urls: readonly string[]; readonly documentId: string },
): Promise<void> {
  const random = createRandom(1);
  const typists = clients.filter(({ editor }) => editor !== undefined);
  for (const client of typists) {
    const made = client.act((editor) => {
      editor.type(random);
      editor.write(random);
    });
    expect(made.length, `what ${client.name} wrote`).toBeGreaterThan(0);
    truth.add(made);
    await untilAllHold(clients, truth.doc);
  }
  const [first, ...others] = typists;
  for (const { name, editor } of others) {
    const difference = firstDifference(editor?.content(), first?.editor?.content());
    expect(difference, `what ${name} shows, beside ${first?.name}`).toBeUndefined();
  }
  const asked = where.urls.map((url, i) =>
    openClient(`a copy of what server ${i} holds`, { url, documentId: where.documentId }),
  );
  await untilAllHold([...clients, ...asked], truth.doc);
}
