import { ByteWriter, decodeStateVector, digestOf } from "@teleportal/sync-core";
import type { ReplicaDocument, StateVector } from "@teleportal/sync-core";
import * as Y from "yjs";
import { compactUpdates } from "./compact-updates.ts";
import { decodeUpdate } from "./decoded-update.ts";
import type { DecodedUpdate, OperationRange } from "./decoded-update.ts";
import { IdRanges } from "./id-ranges.ts";

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

/**
 * A document on the server: one snapshot and the updates since, as bytes, and the set of operation ids they hold.
 * No Y.Doc: a keystroke costs decoding that keystroke, however large the document.
 */
export class UpdateLog implements ReplicaDocument {
  readonly #structs = new IdRanges();
  readonly #deletions = new IdRanges();
  #snapshot: Entry | undefined;
  #pending: Entry[] = [];
  #pendingBytes = 0;
  /** How many of `#pending` came after what was gathered last. */
  #single = 0;
  #stateVector: Uint8Array | undefined;
  #digest: Uint8Array | undefined;
  /** How many operations are held, how many of all are deleted, and how many of these since the snapshot. */
  #held = 0;
  #deleted = 0;
  #erased = 0;
  /** False after a compaction for what was erased has gained nothing: the counts were made up. */
  #erasurePays = true;
  #compactable = true;

  constructor(stored: readonly Uint8Array[] = []) {
    for (const update of stored) this.append(update);
    const [only] = this.#pending;
    if (this.#pending.length !== 1 || only === undefined) return;
    this.#becomeSnapshot(only);
  }

  get byteLength(): number {
    return (this.#snapshot?.update.length ?? 0) + this.#pendingBytes;
  }

  /** Whether the updates since the snapshot have outgrown it, or have erased most of it, so that `compact` pays. */
  get bloated(): boolean {
    return this.#outgrown(SMALL) || (this.byteLength > SMALL && this.#mostlyErased());
  }

  /** Whether there are so many single updates that `gather` pays, or the next `updates` would take long. */
  get scattered(): boolean {
    return this.#single >= SCATTERED;
  }

  /**
   * Adds an update, which MUST be the end of its buffer and not be changed afterwards. `known`: it held nothing new
   * and was not added.
   * @throws MalformedUpdateError, and nothing has changed
   */
  append(update: Uint8Array): "added" | "known" {
    const decoded = decodeUpdate(update);
    if (!this.#record(decoded)) return "known";
    this.#pending.push({ update, ends: endsOf(decoded.structs) });
    this.#pendingBytes += update.length;
    this.#single += 1;
    return "added";
  }

  /** Whether `append` would say `known`. @throws MalformedUpdateError */
  isKnown(update: Uint8Array): boolean {
    const decoded = decodeUpdate(update);
    return (
      decoded.structs.every((range) => this.#structs.has(...range)) &&
      decoded.deletions.every((range) => this.#deletions.has(...range))
    );
  }

  /** Yjs's encoding of what is held from clock 0 without a hole, per client. */
  stateVector(): Uint8Array {
    this.#stateVector ??= encodeStateVector(this.#structs.clients);
    return this.#stateVector;
  }

  /** Equal for two logs exactly when they hold the same operations and deletions; see `digestOf`. */
  digest(): Uint8Array {
    this.#digest ??= digestOf(this.#structs.clients, this.#deletions.clients);
    return this.#digest;
  }

  /** False while operations are held whose predecessors by the same client are missing. */
  complete(): boolean {
    return this.#structs.whole;
  }

  /** What a holder of `stateVector` lacks, as one update, all deletions included; `undefined` if nothing is held. */
  diff(stateVector: Uint8Array): Uint8Array | undefined {
    const theirs = decodeStateVector(stateVector) ?? new Map<number, number>();
    const missing = this.#entries().filter((entry) => !covers(theirs, entry.ends));
    const deletions = this.#deletions.clients;
    if (missing.length === 0 && deletions.size === 0) return undefined;
    // Only what holds something missing is read; deletions come from the index, not from the rest.
    return Y.mergeUpdates([
      ...missing.map(({ update }) => Y.diffUpdate(update, stateVector)),
      encodeDeletions(deletions),
    ]);
  }

  /** Everything, as few updates, in the order they are to be applied. Nothing large is merged with anything. */
  updates(): readonly Uint8Array[] {
    const small = this.byteLength <= 2 * SMALL;
    if (this.#compactable && small && (this.#outgrown(0) || this.#mostlyErased())) {
      try {
        this.compact();
      } catch {
        // What cannot be compacted is handed out as it came; `Document` reports it when it is due itself.
      }
    }
    this.gather();
    return this.#entries().map((entry) => entry.update);
  }

  /** Merges the latest updates, in a time that does not depend on the document's size. */
  gather(): void {
    if (this.#single === 0) return;
    const pending = this.#pending;
    let start = pending.length - this.#single;
    let size = 0;
    for (const { update } of pending.slice(start)) size += update.length;
    for (let before = pending[start - 1]; before !== undefined; before = pending[start - 1]) {
      if (size + before.update.length > GATHERED) break;
      size += before.update.length;
      start -= 1;
    }
    this.#single = 0;
    const latest = pending.slice(start);
    if (latest.length < 2) return;
    const update = Y.mergeUpdates(latest.map((entry) => entry.update));
    pending.splice(start, latest.length, { update, ends: endsOf(decodeUpdate(update).structs) });
    this.#pendingBytes += update.length - size;
  }

  /** Makes one snapshot of everything, without deleted content. */
  compact(): void {
    if (this.#pending.length === 0) return;
    const before = this.byteLength;
    const forErased = !this.#outgrown(0);
    // Yjs may yet refuse what could be decoded; it is not asked about the same again by `updates`.
    this.#compactable = false;
    const update = compactUpdates(this.#entries().map((entry) => entry.update));
    const decoded = decodeUpdate(update);
    this.#compactable = true;
    // Applying can imply deletions that no update spells out (an overwritten map entry, a child of what is gone).
    this.#record(decoded);
    this.#erasurePays = !forErased || update.length * 2 <= before;
    this.#becomeSnapshot({ update, ends: endsOf(decoded.structs) });
  }

  #becomeSnapshot(entry: Entry): void {
    this.#snapshot = entry;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#single = 0;
    this.#erased = 0;
  }

  #record(decoded: DecodedUpdate): boolean {
    let added = 0;
    let newlyDeleted = 0;
    for (const [client, start, end] of decoded.structs) {
      added += this.#structs.add(client, start, end);
    }
    for (const [client, start, end] of decoded.deletions) {
      newlyDeleted += this.#deletions.add(client, start, end);
    }
    this.#held += added;
    this.#deleted += newlyDeleted;
    this.#erased += newlyDeleted;
    const anything = added > 0 || newlyDeleted > 0;
    if (anything) this.#stateVector = this.#digest = undefined;
    return anything;
  }

  #outgrown(atLeast: number): boolean {
    return this.#pendingBytes > Math.max(atLeast, this.#snapshot?.update.length ?? 0);
  }

  #mostlyErased(): boolean {
    return (
      this.#erasurePays && this.#pending.length > 0 && this.#erased > this.#held - this.#deleted
    );
  }

  #entries(): Entry[] {
    return this.#snapshot === undefined ? this.#pending : [this.#snapshot, ...this.#pending];
  }
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
