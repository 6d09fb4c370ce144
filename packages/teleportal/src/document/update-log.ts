import { ByteWriter, decodeStateVector, digestOf } from "@teleportal/sync-core";
import type { StateVector } from "@teleportal/sync-core";
import * as Y from "yjs";
import { compactUpdates } from "./compact-updates.ts";
import { decodeUpdate } from "./decoded-update.ts";
import type { DecodedUpdate, OperationRange } from "./decoded-update.ts";
import { IdRanges } from "./id-ranges.ts";

/**
 * A document on the server: one snapshot and the updates since, as bytes, and the set of operation ids they hold.
 * No Y.Doc: a keystroke costs decoding that keystroke, however large the document.
 */
export interface UpdateLog {
  byteLength(): number;
  /** Whether the updates since the snapshot have outgrown it, or have erased most of it, so that `compact` pays. */
  isBloated(): boolean;
  /**
   * Adds an update, which MUST be the end of its buffer and not be changed afterwards. `known`: it held nothing new
   * and was not added.
   * @throws MalformedUpdateError, and nothing has changed
   */
  append(update: Uint8Array): "added" | "known";
  /** Whether `append` would say `known`. @throws MalformedUpdateError */
  isKnown(update: Uint8Array): boolean;
  /** Yjs's encoding of what is held from clock 0 without a hole, per client. */
  stateVector(): Uint8Array;
  /** Equal for two logs exactly when they hold the same operations and deletions; see `digestOf`. */
  digest(): Uint8Array;
  /** False while operations are held whose predecessors by the same client are missing. */
  complete(): boolean;
  /** What a holder of `stateVector` lacks, as one update, all deletions included; `undefined` if nothing is held. */
  diff(stateVector: Uint8Array): Uint8Array | undefined;
  /** Everything, as few updates, in the order they are to be applied. Nothing large is merged with anything. */
  updates(): readonly Uint8Array[];
  /** Whether there are so many single updates that `gather` pays, or the next `updates` would take long. */
  isScattered(): boolean;
  /** Merges the latest updates, in a time that does not depend on the document's size. */
  gather(): void;
  /** Makes one snapshot of everything, without deleted content. */
  compact(): void;
}

interface Entry {
  readonly update: Uint8Array;
  /** Per client where the operations in it end. */
  readonly ends: readonly ClientEnd[];
}

type ClientEnd = readonly [client: number, end: number];

/** Below it, in bytes, compacting is not worth the while: it takes a few milliseconds at most whenever it is needed. */
const SMALL = 32 * 1024;

/** After so many single updates they are gathered: takes about 2 ms. */
const SCATTERED = 512;

/** Gathered updates are gathered again with later ones up to this size, in bytes: there are few of them, and none is large. */
const GATHERED = 32 * 1024;

export function createUpdateLog(stored: readonly Uint8Array[] = []): UpdateLog {
  const structs = new IdRanges();
  const deletions = new IdRanges();
  let snapshot: Entry | undefined;
  let pending: Entry[] = [];
  let pendingBytes = 0;
  /** How many of `pending` came after what was gathered last. */
  let single = 0;
  let stateVector: Uint8Array | undefined;
  let digest: Uint8Array | undefined;
  /** How many operations are held, how many of all are deleted, and how many of these since the snapshot. */
  let held = 0;
  let deleted = 0;
  let erased = 0;
  /** False after a compaction for what was erased has gained nothing: the counts were made up. */
  let erasurePays = true;
  let compactable = true;

  function record(decoded: DecodedUpdate): boolean {
    let added = 0;
    let newlyDeleted = 0;
    for (const [client, start, end] of decoded.structs) added += structs.add(client, start, end);
    for (const [client, start, end] of decoded.deletions) {
      newlyDeleted += deletions.add(client, start, end);
    }
    held += added;
    deleted += newlyDeleted;
    erased += newlyDeleted;
    const anything = added > 0 || newlyDeleted > 0;
    if (anything) stateVector = digest = undefined;
    return anything;
  }

  function byteLength(): number {
    return (snapshot?.update.length ?? 0) + pendingBytes;
  }

  function outgrown(atLeast: number): boolean {
    return pendingBytes > Math.max(atLeast, snapshot?.update.length ?? 0);
  }

  function mostlyErased(): boolean {
    return erasurePays && pending.length > 0 && erased > held - deleted;
  }

  function append(update: Uint8Array): "added" | "known" {
    const decoded = decodeUpdate(update);
    if (!record(decoded)) return "known";
    pending.push({ update, ends: endsOf(decoded.structs) });
    pendingBytes += update.length;
    single += 1;
    return "added";
  }

  function gather(): void {
    if (single === 0) return;
    let start = pending.length - single;
    let size = 0;
    for (const { update } of pending.slice(start)) size += update.length;
    for (let before = pending[start - 1]; before !== undefined; before = pending[start - 1]) {
      if (size + before.update.length > GATHERED) break;
      size += before.update.length;
      start -= 1;
    }
    single = 0;
    const latest = pending.slice(start);
    if (latest.length < 2) return;
    const update = Y.mergeUpdates(latest.map((entry) => entry.update));
    pending.splice(start, latest.length, { update, ends: endsOf(decodeUpdate(update).structs) });
    pendingBytes += update.length - size;
  }

  function entries(): Entry[] {
    return snapshot === undefined ? pending : [snapshot, ...pending];
  }

  function compact(): void {
    if (pending.length === 0) return;
    const before = byteLength();
    const forErased = !outgrown(0);
    // Yjs may yet refuse what could be decoded; it is not asked about the same again by `updates`.
    compactable = false;
    const update = compactUpdates(entries().map((entry) => entry.update));
    const decoded = decodeUpdate(update);
    compactable = true;
    // Applying can imply deletions that no update spells out (an overwritten map entry, a child of what is gone).
    record(decoded);
    erased = 0;
    erasurePays = !forErased || update.length * 2 <= before;
    snapshot = { update, ends: endsOf(decoded.structs) };
    pending = [];
    pendingBytes = 0;
    single = 0;
  }

  const log: UpdateLog = {
    byteLength,
    isBloated: () => outgrown(SMALL) || (byteLength() > SMALL && mostlyErased()),
    append,
    isKnown(update) {
      const decoded = decodeUpdate(update);
      return (
        decoded.structs.every((range) => structs.has(...range)) &&
        decoded.deletions.every((range) => deletions.has(...range))
      );
    },
    stateVector() {
      stateVector ??= encodeStateVector(structs.clients);
      return stateVector;
    },
    digest() {
      digest ??= digestOf(structs.clients, deletions.clients);
      return digest;
    },
    complete: () => structs.whole,
    diff(encoded) {
      const theirs = decodeStateVector(encoded) ?? new Map<number, number>();
      const missing = entries().filter((entry) => !covers(theirs, entry.ends));
      if (missing.length === 0 && deletions.clients.size === 0) return undefined;
      // Only what holds something missing is read; deletions come from the index, not from the rest.
      return Y.mergeUpdates([
        ...missing.map(({ update }) => Y.diffUpdate(update, encoded)),
        encodeDeletions(deletions.clients),
      ]);
    },
    updates() {
      if (compactable && byteLength() <= 2 * SMALL && (outgrown(0) || mostlyErased())) {
        try {
          compact();
        } catch {
          // What cannot be compacted is handed out as it came; `Document` reports it when it is due itself.
        }
      }
      gather();
      return entries().map((entry) => entry.update);
    },
    isScattered: () => single >= SCATTERED,
    gather,
    compact,
  };

  for (const update of stored) append(update);
  if (pending.length === 1) {
    snapshot = pending[0];
    pending = [];
    pendingBytes = 0;
    single = 0;
    erased = 0;
  }
  return log;
}

function endsOf(ranges: readonly OperationRange[]): ClientEnd[] {
  const ends: [client: number, end: number][] = [];
  for (const [client, , end] of ranges) {
    const last = ends.at(-1);
    // An update holds each client's operations one after the other, in order.
    if (last?.[0] === client) last[1] = Math.max(last[1], end);
    else ends.push([client, end]);
  }
  return ends;
}

function covers(held: StateVector, ends: readonly ClientEnd[]): boolean {
  return ends.every(([client, end]) => (held.get(client) ?? 0) >= end);
}

function encodeStateVector(clients: ReadonlyMap<number, readonly number[]>): Uint8Array {
  const contiguous: [client: number, clock: number][] = [];
  for (const [client, [start, end]] of clients) {
    if (start === 0 && end !== undefined) contiguous.push([client, end]);
  }
  const writer = new ByteWriter();
  writer.varUint(contiguous.length);
  for (const [client, clock] of contiguous) {
    writer.varUint(client);
    writer.varUint(clock);
  }
  return writer.finish();
}

/** An update without operations, only deletions, in Yjs's V1 format. */
function encodeDeletions(clients: ReadonlyMap<number, readonly number[]>): Uint8Array {
  const writer = new ByteWriter();
  writer.varUint(0);
  writer.varUint(clients.size);
  for (const [client, ranges] of clients) {
    writer.varUint(client);
    writer.varUint(ranges.length / 2);
    for (let i = 0; i < ranges.length; i += 2) {
      const start = ranges[i] ?? 0;
      writer.varUint(start);
      writer.varUint((ranges[i + 1] ?? start) - start);
    }
  }
  // Alone in its buffer, as everything handed to Yjs.
  return new Uint8Array(writer.finish());
}
