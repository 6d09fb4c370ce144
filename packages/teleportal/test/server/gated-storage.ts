import { createMemoryDocumentStorage } from "teleportal/storage";
import type { DocumentStorage } from "teleportal/storage";
import * as Y from "yjs";

type Call = "load" | "append" | "compact";

/** A storage in memory that can be made slow, or made to fail, one kind of call at a time. */
export interface GatedStorage extends DocumentStorage {
  /** Calls of that kind wait from now on, until the returned function is called. */
  hold(call: Call): () => void;
  /** Calls of that kind reject from now on, until the returned function is called. */
  fail(call: Call): () => void;
  /** How many calls of that kind have begun. */
  count(call: Call): number;
  /** The text that a server would load. */
  storedText(documentId: string): Promise<string>;
}

export function createGatedStorage(options: { readonly shared?: boolean } = {}): GatedStorage {
  const storage = createMemoryDocumentStorage(options);
  const held = new Map<Call, Promise<void>>();
  const failing = new Set<Call>();
  const counts = new Map<Call, number>();

  async function pass(call: Call): Promise<void> {
    counts.set(call, (counts.get(call) ?? 0) + 1);
    await held.get(call);
    if (failing.has(call)) throw new Error(`${call}: the disk is full`);
  }

  return {
    shared: storage.shared,
    async load(documentId) {
      await pass("load");
      return storage.load(documentId);
    },
    async append(documentId, updates) {
      await pass("append");
      await storage.append(documentId, updates);
    },
    async compact(documentId, merge) {
      await pass("compact");
      await storage.compact(documentId, merge);
    },
    hold(call) {
      let release!: () => void;
      held.set(call, new Promise((resolve) => (release = resolve)));
      return () => {
        held.delete(call);
        release();
      };
    },
    fail(call) {
      failing.add(call);
      return () => failing.delete(call);
    },
    count: (call) => counts.get(call) ?? 0,
    async storedText(documentId) {
      const doc = new Y.Doc();
      for (const update of await storage.load(documentId)) Y.applyUpdate(doc, update);
      return doc.getText("text").toString();
    },
  };
}
