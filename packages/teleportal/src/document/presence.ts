/**
 * Who is there: the awareness states of a document, as y-protocols encodes them
 * (github.com/yjs/y-protocols, awareness.js): count, then per client its id, its clock and its state as JSON.
 *
 * The states stay text: they are read once, to refuse what would make a client throw, and never written anew for a
 * subscriber.
 */
import { ByteReader, ByteWriter, TruncatedError } from "@teleportal/sync-core";

/** Whom states belong to: a local connection, or the peer (instance) a message came from. */
export type PresenceOwner = object | string;

/** A client says more of itself than it may. */
export class PresenceTooLargeError extends Error {
  override readonly name = "PresenceTooLargeError";
}

/** The bytes are no awareness update, or a state in it is no JSON. */
export class MalformedAwarenessError extends Error {
  override readonly name = "MalformedAwarenessError";
}

interface State {
  readonly client: number;
  readonly clock: number;
  readonly json: string;
}

interface Entry extends State {
  readonly owner: PresenceOwner;
}

/** What a state takes beside its JSON, so that many tiny ones count as the memory they take; in bytes. */
const STATE_OVERHEAD = 64;

/** y-protocols: the state of a client that is gone. */
const GONE = "null";

/** How many clocks of clients that are gone are kept, so that a late message does not bring their cursors back. */
const MAX_TOMBSTONES = 1000;

/** Who is there, in one document. */
export class Presence {
  readonly #entries = new Map<number, Entry>();
  /** By client, the clock of those that are gone; the oldest first. */
  readonly #tombstones = new Map<number, number>();
  /** What each local connection holds, in bytes. */
  readonly #held = new WeakMap<object, number>();
  readonly #bytesPerClient: number;

  /** `bytesPerClient`: how much one connection may hold, its states as JSON and 64 bytes for each. Peers are not limited. */
  constructor(bytesPerClient = Number.POSITIVE_INFINITY) {
    this.#bytesPerClient = bytesPerClient;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Takes an awareness update in; tells whether it says anything new, or only that all is as it was (y-protocols has
   * clients say that every 15 s). One that a peer sends as a `renewal` cannot bring back who was gone by then.
   *
   * A client that was gone comes back with the clock it had, and whoever knows it by that clock ignores it (y-protocols,
   * `applyAwarenessUpdate`). `onReturn` is handed an awareness update that calls it gone: sent to that client alone,
   * it makes it object with a higher clock, which everybody takes.
   *
   * @throws MalformedAwarenessError, and nothing has changed
   * @throws PresenceTooLargeError, and what came before the state that is too large was taken in: `owner` is to be removed
   */
  apply(
    update: Uint8Array,
    owner: PresenceOwner,
    how: {
      readonly renewal?: boolean;
      readonly onReturn?: (objection: Uint8Array) => void;
    } = {},
  ): "news" | "renewed" | undefined {
    const { renewal = false, onReturn } = how;
    let said: "news" | "renewed" | undefined;
    const returned: State[] = [];
    for (const state of decode(update)) {
      const before = this.#tombstones.get(state.client);
      const accepted = this.#accept(state, owner, renewal);
      if (accepted === undefined) continue;
      if (said !== "news") said = accepted;
      if (before === state.clock) returned.push({ ...state, json: GONE });
    }
    const objection = encode(returned);
    if (objection !== undefined) onReturn?.(objection);
    return said;
  }

  /** Ends everything `owner` has; returns the awareness update that says so. */
  remove(owner: PresenceOwner): Uint8Array | undefined {
    const gone: State[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.owner !== owner) continue;
      gone.push({ client: entry.client, clock: entry.clock, json: GONE });
      this.#bury(entry, entry.clock);
    }
    return encode(gone);
  }

  /** All states, or those whose owner passes, as one awareness update. */
  snapshot(includes: (owner: PresenceOwner) => boolean = () => true): Uint8Array | undefined {
    const states: State[] = [];
    for (const entry of this.#entries.values()) if (includes(entry.owner)) states.push(entry);
    return encode(states);
  }

  #accept(state: State, owner: PresenceOwner, renewal: boolean): "news" | "renewed" | undefined {
    const { client, clock, json } = state;
    const present = this.#entries.get(client);
    if (json === GONE) {
      // Only from where it came: a client that has fallen asleep takes others for gone, and says so.
      if (present === undefined || clock < present.clock || present.owner !== owner) {
        return undefined;
      }
      this.#bury(present, clock);
      return "news";
    }
    if (present === undefined) {
      // A client that comes back announces itself with the clock it had.
      const buried = this.#tombstones.get(client) ?? -1;
      if (clock < buried || (renewal && clock === buried)) return undefined;
      this.#tombstones.delete(client);
    } else if (clock <= present.clock) {
      // Also when it is equal: a y-websocket client sends back all that it is told, and does not own that.
      return undefined;
    }
    const entry = { client, clock, json, owner };
    this.#makeRoom(entry, present);
    this.#entries.set(client, entry);
    return present?.owner === owner && present.json === json ? "renewed" : "news";
  }

  /** Counts `entry` in the place of `present`. @throws PresenceTooLargeError, and nothing has changed */
  #makeRoom(entry: Entry, present: Entry | undefined): void {
    const own = present?.owner === entry.owner ? sizeOf(present) : 0;
    const held = this.#heldBy(entry.owner) + sizeOf(entry) - own;
    if (held > this.#bytesPerClient && typeof entry.owner === "object") {
      throw new PresenceTooLargeError(`${held} bytes`);
    }
    if (present !== undefined) this.#count(present, -1);
    this.#count(entry, 1);
  }

  #heldBy(owner: PresenceOwner): number {
    return typeof owner === "object" ? (this.#held.get(owner) ?? 0) : 0;
  }

  #count(entry: Entry, sign: 1 | -1): void {
    const { owner } = entry;
    if (typeof owner !== "object") return;
    this.#held.set(owner, this.#heldBy(owner) + sign * sizeOf(entry));
  }

  #bury(entry: Entry, clock: number): void {
    const { client } = entry;
    this.#count(entry, -1);
    this.#entries.delete(client);
    this.#tombstones.delete(client);
    this.#tombstones.set(client, clock);
    if (this.#tombstones.size <= MAX_TOMBSTONES) return;
    const oldest = this.#tombstones.keys().next();
    if (!oldest.done) this.#tombstones.delete(oldest.value);
  }
}

function sizeOf({ json }: Entry): number {
  return json.length + STATE_OVERHEAD;
}

function decode(update: Uint8Array): State[] {
  try {
    const reader = new ByteReader(update);
    const states: State[] = [];
    for (let count = reader.varUint(); count > 0; count--) {
      const client = reader.varUint();
      const clock = reader.varUint();
      const json = TEXT_DECODER.decode(reader.varBytes());
      JSON.parse(json);
      states.push({ client, clock, json });
    }
    return states;
  } catch (cause) {
    // Truncated bytes, text that is no UTF-8 (TypeError), a state that is no JSON (SyntaxError).
    if (
      cause instanceof TruncatedError ||
      cause instanceof TypeError ||
      cause instanceof SyntaxError
    ) {
      throw new MalformedAwarenessError("not an awareness update", { cause });
    }
    throw cause;
  }
}

const TEXT_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TEXT_ENCODER = new TextEncoder();

function encode(states: readonly State[]): Uint8Array | undefined {
  if (states.length === 0) return undefined;
  const writer = new ByteWriter();
  writer.varUint(states.length);
  for (const { client, clock, json } of states) {
    writer.varUint(client);
    writer.varUint(clock);
    writer.varBytes(TEXT_ENCODER.encode(json));
  }
  return writer.finish();
}
