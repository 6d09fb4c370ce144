import type { ClientRanges } from "@teleportal/sync-core";
import * as Y from "yjs";
import { inCausalOrder } from "./causal-order.ts";
import { decodeUpdate } from "./decoded-update.ts";
import { cutIntoPieces } from "./pieces.ts";
import type { Piece, Struct } from "./pieces.ts";

/** The usual size of a piece, in bytes: applying or writing one takes a few milliseconds at most. */
export const PIECE_SIZE = 64 * 1024;

/**
 * Brings updates into their smallest form, without the content of what was deleted: text typed and erased leaves almost
 * nothing. Takes time with the size of the document (about 40 ms per MB), so it is done in steps of a few milliseconds:
 * it yields after each. Returns pieces in the order in which they are to be applied.
 *
 * Operations whose predecessors are missing stay, and so do deletions of what is missing.
 *
 * @param size of a piece, in bytes
 * @throws what Yjs throws on updates that decode but cannot be applied.
 */
export function* compaction(
  updates: readonly Uint8Array[],
  size = PIECE_SIZE,
): Generator<void, Piece[]> {
  const doc = new Y.Doc({ gc: true });
  try {
    let batch: Uint8Array[] = [];
    let bytes = 0;
    for (const update of updates) {
      for (const part of update.length > 2 * size ? inParts(update, size) : [update]) {
        batch.push(part);
        bytes += part.length;
        if (bytes < size) continue;
        applyAll(doc, batch);
        batch = [];
        bytes = 0;
        yield;
      }
    }
    applyAll(doc, batch);
    const { store } = doc;
    const pieces: Piece[] = [];
    for (const piece of cutIntoPieces(inCausalOrder(store.clients), deletionsIn(store), size)) {
      pieces.push(piece);
      yield;
    }
    for (const update of waitingIn(store)) pieces.push({ update, ...decodeUpdate(update) });
    return pieces;
  } finally {
    doc.destroy();
  }
}

/** All steps of `compaction` at once, for what is small. */
export function compact(updates: readonly Uint8Array[], size?: number): Piece[] {
  const steps = compaction(updates, size);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

function applyAll(doc: Y.Doc, updates: readonly Uint8Array[]): void {
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
}

/** A large update as several, so that it need not be applied at once. */
function* inParts(update: Uint8Array, size: number): Generator<Uint8Array> {
  const { structs, ds } = Y.decodeUpdate(update);
  const clients = new Map<number, Struct[]>();
  for (const struct of structs) {
    if (struct instanceof Y.Skip) continue;
    const ofClient = clients.get(struct.id.client);
    if (ofClient === undefined) clients.set(struct.id.client, [struct]);
    else ofClient.push(struct);
  }
  for (const part of cutIntoPieces(inCausalOrder(clients), flat(ds), size)) yield part.update;
}

function deletionsIn(store: Y.Doc["store"]): ClientRanges {
  return flat(Y.createDeleteSetFromStructStore(store));
}

function flat({ clients }: ReturnType<typeof Y.createDeleteSetFromStructStore>): ClientRanges {
  const ranges = new Map<number, number[]>();
  for (const [client, items] of clients) {
    ranges.set(
      client,
      items.flatMap(({ clock, len }) => [clock, clock + len]),
    );
  }
  return ranges;
}

/** What waits for predecessors. Yjs keeps it as updates in its V2 format. */
function waitingIn({ pendingStructs, pendingDs }: Y.Doc["store"]): Uint8Array[] {
  return [pendingStructs?.update, pendingDs]
    .filter((update) => update !== null && update !== undefined)
    .map((update) => new Uint8Array(Y.convertUpdateFormatV2ToV1(update)));
}
