import { ByteWriter, decodeStateVector, digestOf, isAhead } from "@teleportal/sync-core";
import type { Difference, StateVector } from "@teleportal/sync-core";
import { UpdateList } from "../yjs-v1/update-list.ts";
import { compactRuns } from "../yjs-v1/compact-runs.ts";
import type { Deleted } from "../yjs-v1/compact-runs.ts";
import { cutRun, splitRun } from "../yjs-v1/cut-run.ts";
import { gatherUpdates, GROWING } from "../yjs-v1/gather-updates.ts";
import { IdRanges } from "../yjs-v1/id-ranges.ts";
import type { OperationRange } from "../yjs-v1/id-ranges.ts";
import { readUpdate, RUN_SIZE } from "../yjs-v1/run.ts";
import type { ReadUpdate, Run } from "../yjs-v1/run.ts";
import { addRuns, bytesOf, joinParts, writeUpdate } from "../yjs-v1/update-writer.ts";
import type { ClientRuns, UpdateParts } from "../yjs-v1/update-writer.ts";
import type { Steps } from "./background-work.ts";

/** After so many single updates `gather` pays: it takes a fraction of a millisecond. */
const SCATTERED = 32;

/** A larger update is kept as it came, in bytes: it need not be gathered. */
const LARGE = 4 * 1024;

/** Less is not compacted beside other work, in bytes. */
const WORTH_COMPACTING = 8 * 1024;

/** So much is compacted at once when somebody downloads it, in bytes: a millisecond at most. */
const COMPACTED_AT_ONCE = 64 * 1024;

/** Where all is erased, so many bytes of what is left need an operation more to be erased: they do not become fewer each time. */
const BYTES_PER_ERASED = 64;

/** The most that a range of deletions takes, in bytes, if its client has no other: five numbers, two of them small. */
const BYTES_PER_DELETION = 26;

/** How much is compacted in a step, in bytes: a millisecond or two. */
const STEP_BYTES = 64 * 1024;

/** What a run takes beside its bytes, so that a step with many tiny ones ends as well. */
const RUN_OVERHEAD = 64;

/**
 * The most a client is sent in one frame, in bytes, unless that would make more than {@link MOST_FRAMES}. A y-websocket client
 * takes the connection for dead after 30 s without a message, so a large document on a slow line has to come in several.
 */
const FRAME_BYTES = 1024 * 1024;

/** Each frame costs the client time with what has come before it: Yjs merges what waits (`pendingStructs`). */
const MOST_FRAMES = 8;

/**
 * All that is held of a document, as bytes: the structs by client and clock, and the deletions. No Y.Doc, so nothing is changed
 * that nobody has changed, and a keystroke costs reading that keystroke, however large the document.
 */
export class History {
  readonly #structs = new IdRanges();
  readonly #deletions = new IdRanges();
  /** The structs, but for those of `#latest`. */
  readonly #runs = new Map<number, Run[]>();
  #runBytes = 0;
  /** Updates as they came, until they are gathered into runs. None has a struct that is held besides. */
  readonly #latest = new UpdateList();
  #stateVector: Uint8Array | undefined;
  #digest: Uint8Array | undefined;
  /** How many operations are held and not deleted, and how many were deleted since the last compaction. */
  #live = 0;
  #erased = 0;
  /** What compacting has found, or made, to be GC structs. */
  #collected: IdRanges | undefined;
  /** In bytes, after the last compaction. */
  #compactBytes = 0;

  get byteLength(): number {
    return this.#runBytes + this.#latest.byteLength;
  }

  /** Whether there are so many single updates that `gather` pays. */
  get scattered(): boolean {
    return this.#latest.count >= SCATTERED;
  }

  /** Whether what came since the last compaction has outgrown the rest, or has erased most of it: another pays. */
  get bloated(): boolean {
    return this.byteLength > WORTH_COMPACTING && this.#wouldShrink();
  }

  /** Whether compacting would make it much smaller, and takes so little time that a client that downloads it can wait for it. */
  get bloatedAndSmall(): boolean {
    return this.byteLength <= COMPACTED_AT_ONCE && this.#wouldShrink();
  }

  /** Takes what a storage has given. What is large in it was made compact. @throws MalformedUpdateError, and nothing has changed */
  load(stored: Uint8Array): void {
    if (this.take(stored) === undefined) return;
    if (stored.length >= LARGE) this.#compactBytes += stored.length;
    this.#erased = 0;
  }

  /**
   * Adds a copy of what is new in an update. Returns that: the update itself if all of it is new and stands as Yjs writes it;
   * `undefined` if nothing is.
   *
   * @throws MalformedUpdateError, and nothing has changed
   */
  take(update: Uint8Array): Uint8Array | undefined {
    const read = readUpdate(update);
    if (this.#isNew(read)) {
      this.#note(read);
      this.#keep(update, read.runs);
      return update;
    }
    if (this.#holds(read)) return undefined;
    const news = this.#newsOf(read);
    const readNews = readUpdate(news);
    this.#note(readNews);
    this.#keep(news, readNews.runs);
    return news;
  }

  /** Whether `take` would say that nothing is new. @throws MalformedUpdateError */
  isKnown(update: Uint8Array): boolean {
    return this.#holds(readUpdate(update));
  }

  /** Whether the operations of an update go on where those end that are held of their clients. @throws MalformedUpdateError */
  follows(update: Uint8Array): boolean {
    const { clients } = this.#structs;
    return readUpdate(update).runs.every(
      ({ client, start }) => start <= (clients.get(client)?.at(-1) ?? 0),
    );
  }

  /** Yjs's encoding of what is held from clock 0 without a hole, per client. */
  stateVector(): Uint8Array {
    this.#stateVector ??= encodeStateVector(this.#structs.clients);
    return this.#stateVector;
  }

  /** Equal for two histories exactly when they hold the same operations and deletions; see `digestOf`. */
  digest(): Uint8Array {
    this.#digest ??= digestOf(this.#structs.clients, this.#deletions.clients);
    return this.#digest;
  }

  /** False while operations are held whose predecessors by the same client are missing. */
  complete(): boolean {
    return this.#structs.whole;
  }

  /** Whether a holder of `stateVector` lacks no operation that is held. */
  isWithin(stateVector: StateVector): boolean {
    const ends = new Map<number, number>();
    for (const [client, ranges] of this.#structs.clients) ends.set(client, ranges.at(-1) ?? 0);
    return !isAhead(ends, stateVector);
  }

  /** State vector and digest of what both hold together, and whether that has no holes. */
  together(other: History) {
    const structs = unionOf(this.#structs, other.#structs);
    const deletions = unionOf(this.#deletions, other.#deletions);
    return {
      stateVector: encodeStateVector(structs.clients),
      digest: digestOf(structs.clients, deletions.clients),
      complete: structs.whole,
    };
  }

  /** Everything, as one update. */
  state(): Uint8Array {
    this.gather();
    return joinParts(writeUpdate(this.#runs, this.#deletions.clients));
  }

  /**
   * What takes a holder of `stateVector` here in one transaction of Yjs: one update, or for what is large several, of which
   * nothing is seen before the last has come. For that the last has the first struct of each client that the holder lacks, and
   * the deletions: until then Yjs keeps the others in `pendingStructs`.
   */
  download(stateVector: Uint8Array, frameBytes = FRAME_BYTES): readonly UpdateParts[] {
    return this.#inFrames(this.#missing(stateVector), frameBytes);
  }

  /** What a holder of `stateVector` lacks, or about `limit` bytes of it; the deletions are all that are held. */
  difference(stateVector: Uint8Array, limit: number): Difference {
    const missing = this.#missing(stateVector);
    const deletions = this.#deletions.clients;
    if (missing.size === 0 && deletions.size === 0) return { update: undefined, whole: true };
    if (missing.size === 0 || limit === Number.POSITIVE_INFINITY) {
      return { update: joinParts(writeUpdate(missing, deletions)), whole: true };
    }
    const groups = packed(whatGoesOn(missing, stateVector), limit);
    const beginning = groups.next().value ?? NO_RUNS;
    const whole = groups.next().done === true;
    return { update: joinParts(writeUpdate(beginning, whole ? deletions : NO_DELETIONS)), whole };
  }

  /**
   * Everything as updates of about `size` bytes; none if nothing is held. For storages: a reader must see all of them or none. The deletions stand behind, in updates of their own: as many as a value of a storage may have room for.
   */
  pieces(size: number): Uint8Array[] {
    this.gather();
    const pieces = Array.from(packed(this.#runs, size), (group) =>
      joinParts(writeUpdate(group, NO_DELETIONS)),
    );
    const deletions = [...this.#deletions];
    const atOnce = Math.max(1, Math.floor(size / BYTES_PER_DELETION));
    for (let i = 0; i < deletions.length; i += atOnce) {
      const ranges = new IdRanges();
      ranges.addAll(deletions.slice(i, i + atOnce));
      pieces.push(joinParts(writeUpdate(NO_RUNS, ranges.clients)));
    }
    return pieces;
  }

  /** Puts the latest updates to the rest, in a time that does not depend on the document's size. */
  gather(): void {
    if (this.#latest.count === 0) return;
    const runs = gatherUpdates(this.#latest, (client, clock) => this.#takeOut(client, clock));
    addRuns(this.#runs, runs);
    this.#runBytes += bytesOf(runs);
    this.#latest.clear();
  }

  /**
   * Makes everything small in steps of a millisecond or two: structs that can be one become one, and what is deleted loses its content
   * unless it is kept. Changes nothing of what is held. The caller may stop after any step, and updates may be taken between
   * steps.
   */
  *compact(deletedContent: "removed" | "kept" = "removed"): Steps<void> {
    this.gather();
    const erased = this.#erased;
    const deleted: Deleted = {
      removed: deletedContent === "removed" ? this.#deletions : new IdRanges(),
      collected: (this.#collected ??= new IdRanges()),
    };
    let work = 0;
    for (const client of this.#runs.keys()) {
      for (let index = 0; ;) {
        const runs = this.#runs.get(client) ?? [];
        const group = neighboursFrom(runs, index);
        if (group.length === 0) break;
        const compacted = compactRuns(group, deleted);
        runs.splice(index, group.length, ...compacted);
        this.#runBytes += bytesOf(compacted) - bytesOf(group);
        index += compacted.length;
        work += bytesOf(group) + RUN_OVERHEAD;
        if (work < STEP_BYTES) continue;
        work = 0;
        yield;
      }
    }
    this.#compactBytes = this.byteLength;
    // What was erased meanwhile may stand in what was compacted before.
    this.#erased -= erased;
  }

  #wouldShrink(): boolean {
    if (this.byteLength > 2 * this.#compactBytes) return true;
    return this.#erased > Math.max(this.#live, this.#compactBytes / BYTES_PER_ERASED);
  }

  #isNew({ runs, deletions, ordered }: ReadUpdate): boolean {
    if (!ordered || (runs.length === 0 && deletions.length === 0)) return false;
    for (const { client, start, end } of runs) {
      if (!this.#structs.lacks(client, start, end)) return false;
    }
    for (const { client, start, end } of deletions) {
      if (!this.#deletions.lacks(client, start, end)) return false;
    }
    return deletions.length < 2 || areInOrder(deletions);
  }

  #holds({ runs, deletions }: ReadUpdate): boolean {
    return (
      runs.every(({ client, start, end }) => this.#structs.has(client, start, end)) &&
      deletions.every(({ client, start, end }) => this.#deletions.has(client, start, end))
    );
  }

  /** What is not held, as Yjs writes it. */
  #newsOf(read: ReadUpdate): Uint8Array {
    const runs = new Map<number, Run[]>();
    for (const run of read.runs) {
      const segments = this.#structs.segments(run.client, run.start, run.end);
      const news = segments.filter(({ present }) => !present);
      addRuns(runs, cutRun(run, news));
    }
    const news: OperationRange[] = [];
    for (const { client, start, end } of read.deletions) {
      for (const part of this.#deletions.segments(client, start, end)) {
        if (!part.present) news.push({ client, start: part.start, end: part.end });
      }
    }
    const deletions = new IdRanges();
    deletions.addAll(news);
    return joinParts(writeUpdate(runs, deletions.clients));
  }

  #note({ runs, deletions }: ReadUpdate): void {
    for (const { client, start, end } of runs) {
      this.#live += end - start - this.#deletions.count(client, start, end);
    }
    this.#structs.addAll(runs);
    // What is not held can be deleted too, and erases nothing.
    let erased = 0;
    for (const { client, start, end } of deletions) {
      erased += this.#structs.count(client, start, end);
    }
    this.#deletions.addAll(deletions);
    this.#live -= erased;
    this.#erased += erased;
    this.#stateVector = this.#digest = undefined;
  }

  /** Keeps the structs of an update; none is held besides. */
  #keep(update: Uint8Array, runs: readonly Run[]): void {
    if (runs.length === 0) return;
    if (update.length < LARGE) {
      this.#latest.push(update);
      return;
    }
    // A copy: a socket, or a storage, may use its buffer again. Not `slice`, as a Buffer's is a view.
    const bytes = new Uint8Array(update);
    addRuns(
      this.#runs,
      runs.map((run) => ({ ...run, bytes })),
    );
    this.#runBytes += bytesOf(runs);
  }

  /** The last run of that client, if it ends at `clock` and is short. */
  #takeOut(client: number, clock: number): Run | undefined {
    const runs = this.#runs.get(client);
    const last = runs?.at(-1);
    if (last?.end !== clock || last.to - last.from >= GROWING) return undefined;
    runs?.pop();
    this.#runBytes -= last.to - last.from;
    return last;
  }

  #missing(stateVector: Uint8Array): ClientRuns {
    this.gather();
    const theirs = decodeStateVector(stateVector) ?? NOTHING;
    if (theirs.size === 0) return this.#runs;
    const missing = new Map<number, Run[]>();
    for (const [client, runs] of this.#runs) {
      const held = theirs.get(client) ?? 0;
      const first = runs.findIndex(({ end }) => end > held);
      const [cut, ...rest] = first === -1 ? [] : runs.slice(first);
      if (cut === undefined) continue;
      missing.set(client, [...cutRun(cut, [{ start: held, end: cut.end }]), ...rest]);
    }
    return missing;
  }

  #inFrames(missing: ClientRuns, frameBytes: number): readonly UpdateParts[] {
    const deletions = this.#deletions.clients;
    let bytes = 0;
    for (const runs of missing.values()) bytes += bytesOf(runs);
    if (bytes <= frameBytes) return [writeUpdate(missing, deletions)];
    const heldBack = new Map<number, Run[]>();
    const others = new Map<number, Run[]>();
    for (const [client, [run, ...runs]] of missing) {
      if (run === undefined) continue;
      const [first, rest] = splitRun(run, 0);
      heldBack.set(client, [first]);
      if (rest !== undefined) runs.unshift(rest);
      if (runs.length > 0) others.set(client, runs);
    }
    const groups = packed(others, Math.max(frameBytes, bytes / MOST_FRAMES));
    return [
      ...Array.from(groups, (group) => writeUpdate(group, NO_DELETIONS)),
      writeUpdate(heldBack, deletions),
    ];
  }
}

const NOTHING: StateVector = new Map();
const NO_RUNS: ClientRuns = new Map();
const NO_DELETIONS: ReadonlyMap<number, readonly number[]> = new Map();

/** The run at `index`, and those behind it that follow it without a hole and make one with it that is not too large. */
function neighboursFrom(runs: readonly Run[], index: number): Run[] {
  const group: Run[] = [];
  let bytes = 0;
  for (let i = index; i < runs.length; i++) {
    const run = runs[i];
    if (run === undefined) break;
    bytes += bytesOf([run]);
    const last = group.at(-1);
    if (last !== undefined && (last.end !== run.start || bytes > RUN_SIZE)) break;
    group.push(run);
  }
  return group;
}

/** In groups of at most `size` bytes, or a single struct; each client's in order. */
function* packed(runs: ClientRuns, size: number): Generator<Map<number, Run[]>, void> {
  let group = new Map<number, Run[]>();
  let room = size;
  for (const [client, ofClient] of runs) {
    for (const run of ofClient) {
      let rest: Run | undefined = run;
      while (rest !== undefined) {
        // So little room is not worth cutting a run for.
        const worthCutting = rest.to - rest.from <= room || room >= size / 2;
        const [first, others]: readonly [Run, Run | undefined] = splitRun(rest, room);
        if (group.size > 0 && (!worthCutting || first.to - first.from > room)) {
          yield group;
          group = new Map();
          room = size;
          continue;
        }
        room -= first.to - first.from;
        const before = group.get(client);
        if (before === undefined) group.set(client, [first]);
        else before.push(first);
        rest = others;
      }
    }
  }
  if (group.size > 0) yield group;
}

/**
 * The clients first whose runs go on where the holder of `stateVector` ends: no state vector says what is held behind a hole, so
 * that would be sent again each time, and the rest never.
 */
function whatGoesOn(missing: ClientRuns, stateVector: Uint8Array): ClientRuns {
  const theirs = decodeStateVector(stateVector) ?? NOTHING;
  const isBehindHole = ([client, [first]]: readonly [number, readonly Run[]]): boolean =>
    (first?.start ?? 0) > (theirs.get(client) ?? 0);
  const behind = [...missing].filter(isBehindHole);
  if (behind.length === 0) return missing;
  const rest = [...missing].filter((entry) => !isBehindHole(entry));
  return new Map([...rest, ...behind]);
}

/** Whether no operation is named twice, and each client's stand in order behind each other: as Yjs writes deletions. */
function areInOrder(deletions: readonly OperationRange[]): boolean {
  const clients = new Set<number>();
  let previous: OperationRange | undefined;
  for (const range of deletions) {
    if (range.client === previous?.client) {
      if (range.start < previous.end) return false;
    } else if (clients.has(range.client)) {
      return false;
    }
    clients.add(range.client);
    previous = range;
  }
  return true;
}

function unionOf(a: IdRanges, b: IdRanges): IdRanges {
  const union = new IdRanges();
  union.addAll([...a, ...b]);
  return union;
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
