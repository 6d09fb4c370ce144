import { ByteWriter, decodeStateVector, digestOf } from "@teleportal/sync-core";
import type { ReplicaDocument, StateVector } from "@teleportal/sync-core";
import * as Y from "yjs";
import { UpdateList } from "../storage/update-list.ts";
import { compaction, PIECE_SIZE } from "./compaction.ts";
import { concatenate } from "./concatenation.ts";
import { decodeUpdate } from "./decoded-update.ts";
import type { DecodedUpdate, OperationRange } from "./decoded-update.ts";
import { encodeDeletions } from "./deletions.ts";
import { IdRanges } from "./id-ranges.ts";

interface Entry {
  readonly update: Uint8Array;
  /** Per client from where to where the operations in it go. */
  readonly spans: readonly OperationRange[];
}

/** So much is sooner sent as it is than made compact, in bytes. */
const LITTLE = 8 * 1024;

/** An update of so many structs is worth cutting into pieces: reading it takes some milliseconds. */
const COARSE = 2000;

/** After so many updates they are put together: takes a fraction of a millisecond. */
const SCATTERED = 32;

/** After so many times what that has made is put together in turn. */
const OFTEN = 32;

/**
 * A document on the server: pieces that were made compact and the updates since, as bytes, and the set of operation ids they
 * hold. No Y.Doc: a keystroke costs decoding that keystroke, however large the document. Nothing is done with all of it at
 * once: what goes out are pieces and gathered updates, and the few that a receiver has a part of are cut for it.
 */
export class UpdateLog implements ReplicaDocument {
  readonly #pieceSize: number;
  /** In bytes: compacting so little is not worth the while, or takes a few milliseconds at most. */
  readonly #smallSize: number;
  readonly #structs = new IdRanges();
  readonly #deletions = new IdRanges();
  #pieces: readonly Entry[] = [];
  #pieceBytes = 0;
  /** What was gathered of the updates since; and those that came last. */
  #pending: Entry[] = [];
  #pendingBytes = 0;
  readonly #latest = new UpdateList();
  /** How many of `#pending`, from the last, were not gathered with what was before them. */
  #recent = 0;
  /** How many of `#pending`, from the first, are being compacted: these stay as they are. */
  #compacting = 0;
  #stateVector: Uint8Array | undefined;
  #digest: Uint8Array | undefined;
  /** How many operations are held, how many of all are deleted, and how many of these since the last compaction. */
  #held = 0;
  #deleted = 0;
  #erased = 0;
  /** False after a compaction for what was erased has gained nothing: the counts were made up. */
  #erasurePays = true;
  #compactable = true;
  /** Something came that had better be cut into pieces. */
  #coarse = false;

  /**
   * `stored`: as the storage has given them; what stands large at its front was made compact.
   * `pieceSize`: about how many bytes are handled at a time.
   */
  constructor(stored: readonly Uint8Array[] = [], pieceSize = PIECE_SIZE) {
    this.#pieceSize = pieceSize;
    this.#smallSize = pieceSize / 2;
    const small = stored.findIndex((update) => update.length < this.#smallSize);
    // The last piece of a compaction is what was left.
    const compact = small === -1 ? stored.length : small + 1;
    for (const each of stored.slice(0, compact)) {
      // A copy, as of every other: a storage may hand out views into a buffer that it uses again.
      const update = new Uint8Array(each);
      const decoded = this.#take(update);
      if (decoded === undefined) continue;
      this.#pending.push({ update, spans: spansOf(decoded.structs) });
      this.#pendingBytes += update.length;
    }
    this.#replace(this.#pending, this.#pending.length);
    this.#erased = 0;
    for (const update of stored.slice(compact)) this.append(update);
  }

  get byteLength(): number {
    return this.#pieceBytes + this.#pendingBytes + this.#latest.byteLength;
  }

  /**
   * Whether the updates since the last compaction have outgrown the rest, or have erased most of it, or something is to be cut
   * into pieces: another pays.
   */
  get bloated(): boolean {
    if (this.#coarse || this.#outgrown(this.#smallSize)) return true;
    return this.byteLength > this.#smallSize && this.#mostlyErased();
  }

  /** Whether there are so many single updates that `gather` pays. */
  get scattered(): boolean {
    return this.#latest.count >= SCATTERED;
  }

  /**
   * Adds a copy of an update. `known`: it held nothing new and was not added.
   * @throws MalformedUpdateError, and nothing has changed
   */
  append(update: Uint8Array): "added" | "known" {
    if (this.#take(update) === undefined) return "known";
    this.#latest.push(update);
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

  /** What a holder of `stateVector` lacks, in the order to be applied, all deletions with the last; none if nothing is held. */
  diff(stateVector: Uint8Array): readonly Uint8Array[] {
    this.#gatherAll();
    const theirs = decodeStateVector(stateVector) ?? new Map<number, number>();
    const missing: Uint8Array[] = [];
    let bytes = 0;
    for (const { update, spans } of this.#entries()) {
      if (covers(theirs, spans)) continue;
      // Only what they have a part of is read, and deletions come from the index.
      const part = meets(theirs, spans) ? Y.diffUpdate(update, stateVector) : update;
      missing.push(part);
      bytes += part.length;
    }
    const deletions = this.#deletions.clients;
    if (deletions.size > 0) missing.push(encodeDeletions(deletions));
    return missing.length > 1 && bytes <= this.#pieceSize ? [Y.mergeUpdates(missing)] : missing;
  }

  /** Everything, as few updates, in the order they are to be applied. Nothing large is merged with anything. */
  updates(): readonly Uint8Array[] {
    const small = this.byteLength <= this.#pieceSize && this.#compacting === 0;
    if (this.#compactable && small && (this.#outgrown(LITTLE) || this.#mostlyErased())) {
      try {
        this.compact();
      } catch {
        // What cannot be compacted is handed out as it came; `Document` reports it when it is due itself.
      }
    }
    this.#gatherAll();
    return this.#entries().map((entry) => entry.update);
  }

  /** Merges the latest updates, in a time that does not depend on the document's size. */
  gather(): void {
    if (this.#latest.count > 0) {
      // All of it before anything changes: what cannot be merged must stay as it came.
      const groups = groupsUpTo(this.#smallSize, this.#latest.copies(), ({ length }) => length);
      const gathered = groups.map(merged);
      this.#latest.clear();
      this.#pending.push(...gathered);
      this.#pendingBytes += bytesOf(gathered);
      this.#recent += gathered.length;
    }
    if (this.#recent >= OFTEN) this.#gatherAgain();
  }

  #gatherAll(): void {
    this.gather();
    if (this.#recent > 0) this.#gatherAgain();
  }

  /** Merges what was gathered lately with each other and with what was before it: that may have room for more. */
  #gatherAgain(): void {
    const start = Math.max(this.#compacting, this.#pending.length - this.#recent - 1);
    const entries = this.#pending.slice(start);
    const groups = groupsUpTo(this.#smallSize, entries, ({ update }) => update.length);
    const gathered = groups.flatMap((group) =>
      group.length === 1 ? group : [merged(group.map(({ update }) => update))],
    );
    this.#pending.splice(start, entries.length, ...gathered);
    this.#pendingBytes += bytesOf(gathered) - bytesOf(entries);
    this.#recent = 0;
  }

  /** Makes everything compact, without deleted content, at once. */
  compact(): void {
    const steps = this.compactInSteps();
    while (steps.next().done !== true);
  }

  /**
   * The same in steps of a few milliseconds: yields after each. Nothing has changed before the last; what is appended meanwhile stands
   * behind. Not to be begun twice.
   */
  *compactInSteps(): Generator<void, void> {
    if (this.#pending.length === 0 && this.#latest.count === 0 && !this.#coarse) return;
    const before = this.byteLength;
    const forErased = !this.#outgrown(0);
    this.#gatherAll();
    const compacted = this.#pending.length;
    // Yjs may yet refuse what could be decoded; it is not asked about the same again by `updates`.
    this.#compactable = false;
    this.#compacting = compacted;
    this.#coarse = false;
    const erased = this.#erased;
    try {
      const all = this.#entries().map((entry) => entry.update);
      const pieces = yield* compaction(all, this.#pieceSize);
      this.#compactable = true;
      const erasedSince = this.#erased - erased;
      let after = 0;
      for (const piece of pieces) {
        // Applying can imply deletions that no update spells out (an overwritten map entry, a child of what is gone).
        this.#record(piece);
        after += piece.update.length;
      }
      this.#erasurePays = !forErased || after * 2 <= before;
      this.#replace(
        pieces.map(({ update, structs }) => ({ update, spans: structs })),
        compacted,
      );
      this.#erased = erasedSince;
    } finally {
      this.#compacting = 0;
    }
  }

  /** `pieces` stand for all that was there, and the first `count` of what came since. */
  #replace(pieces: readonly Entry[], count: number): void {
    this.#pendingBytes -= bytesOf(this.#pending.slice(0, count));
    this.#pending = this.#pending.slice(count);
    this.#pieces = pieces;
    this.#pieceBytes = bytesOf(pieces);
  }

  /** Notes what is new in the update; `undefined` if nothing is. @throws MalformedUpdateError, and nothing has changed */
  #take(update: Uint8Array): DecodedUpdate | undefined {
    const decoded = decodeUpdate(update);
    if (!this.#record(decoded)) return undefined;
    if (decoded.structs.length > COARSE && update.length > 2 * this.#pieceSize) this.#coarse = true;
    return decoded;
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
    return this.byteLength - this.#pieceBytes > Math.max(atLeast, this.#pieceBytes);
  }

  #mostlyErased(): boolean {
    const anythingNew = this.byteLength > this.#pieceBytes;
    return this.#erasurePays && anythingNew && this.#erased > this.#held - this.#deleted;
  }

  #entries(): readonly Entry[] {
    return this.#pieces.length === 0 ? this.#pending : [...this.#pieces, ...this.#pending];
  }
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { update }) => sum + update.length, 0);
}

/** Neighbours together, each group of at most `bytes` or a single member. */
function groupsUpTo<Member>(
  bytes: number,
  members: readonly Member[],
  sizeOf: (member: Member) => number,
): Member[][] {
  const groups: Member[][] = [];
  let room = 0;
  for (const member of members) {
    room -= sizeOf(member);
    const group = groups.at(-1);
    if (group !== undefined && room >= 0) {
      group.push(member);
    } else {
      groups.push([member]);
      room = bytes - sizeOf(member);
    }
  }
  return groups;
}

/** Without a document where there is nothing but typing; else by Yjs, in many steps. */
function merged(updates: Uint8Array[]): Entry {
  const joined = concatenate(updates);
  if (joined !== undefined) return joined;
  const [first] = updates;
  const update = first !== undefined && updates.length === 1 ? first : Y.mergeUpdates(updates);
  return { update, spans: spansOf(decodeUpdate(update).structs) };
}

/** One span per client, over all of its operations. */
function spansOf(ranges: readonly OperationRange[]): readonly OperationRange[] {
  if (ranges.length < 2) return ranges;
  const spans: [client: number, start: number, end: number][] = [];
  for (const [client, start, end] of ranges) {
    const last = spans.at(-1);
    // An update holds each client's operations one after the other, in order.
    if (last?.[0] === client) last[2] = Math.max(last[2], end);
    else spans.push([client, start, end]);
  }
  return spans;
}

/** Whether a holder of `held` has all of it. */
function covers(held: StateVector, spans: readonly OperationRange[]): boolean {
  return spans.every(([client, , end]) => (held.get(client) ?? 0) >= end);
}

/** Whether a holder of `held` has some of it. */
function meets(held: StateVector, spans: readonly OperationRange[]): boolean {
  return spans.some(([client, start]) => (held.get(client) ?? 0) > start);
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
