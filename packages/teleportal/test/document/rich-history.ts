/*
 * Histories of several people who edit one document with everything that Yjs has, drawn from a seed. Their sessions talk
 * through a server, as y-websocket clients do: what one has made reaches the server after a while, and the others after a
 * while more. A session that has been away comes back with one update of everything it has.
 */
import fc from "fast-check";
import * as Y from "yjs";
import { createRandom } from "../simulation/random.ts";
import type { Random } from "../simulation/random.ts";
import { editRichly, richRoots } from "./rich-edit.ts";

export interface MadeUpdate {
  /** Which of the sessions has sent it. */
  readonly session: number;
  readonly update: Uint8Array;
}

export interface RichHistory {
  /** How to draw it again, which is all that a failing property prints of it. */
  [fc.toStringMethod](): string;
  readonly seed: number;
  /** In an order in which a server could have received them. */
  readonly made: readonly MadeUpdate[];
  /** The same without who has made them. */
  readonly updates: readonly Uint8Array[];
  /** The sessions' documents at the end; those that have not left hold everything. */
  readonly sessions: readonly RichSession[];
}

export interface RichSession {
  readonly doc: Y.Doc;
  /** It was closed before the end; its document is as it was then. */
  readonly left: boolean;
}

export interface RichHistoryOptions {
  /**
   * How many things happen.
   * @default 60
   */
  readonly size?: number;
  /**
   * How many sessions there are at a time.
   * @default 2 to 4
   */
  readonly sessions?: number;
  /**
   * Sessions hear of each other past the server as well, as the tabs of one browser do: an update may come before what it
   * builds on.
   * @default false
   */
  readonly pastServer?: boolean;
  /**
   * Some edits stand between the two halves of a surrogate pair. Yjs replaces such a pair, and a session that has formatted
   * one half shows it replaced where the others show it whole.
   * @default false
   */
  readonly tornPairs?: boolean;
}

/** The origin of what a session has not made itself. */
const RECEIVED = "received";
/** How much longer a large paste is for each thing that happens, in UTF-16 code units. */
const PASTED_PER_SIZE = 10;
/** Now and then it may be as long as this. */
const LARGEST_PASTE = 20_000;

interface Session {
  readonly index: number;
  readonly doc: Y.Doc;
  readonly undoing: Y.UndoManager | undefined;
  /** What it has made and not sent yet. */
  outbox: Uint8Array[];
  /** How many of the server's updates it has received. */
  seen: number;
  state: "online" | "offline" | "left";
}

/** Draws a history from `seed`: the same in every run. */
export function createRichHistory(seed: number, options: RichHistoryOptions = {}): RichHistory {
  return new HistoryMaker(seed, options).make();
}

/** Histories for properties: what fails is made smaller by its size. */
export function richHistories(
  options: Omit<RichHistoryOptions, "size"> & { readonly maxSize?: number } = {},
): fc.Arbitrary<RichHistory> {
  const { maxSize = 80, ...rest } = options;
  return fc
    .record({ seed: fc.noShrink(fc.nat()), size: fc.integer({ min: 1, max: maxSize }) })
    .map(({ seed, size }) => createRichHistory(seed, { ...rest, size }));
}

/**
 * The document that the updates make. Unlike one that an editor holds, it adds nothing: Yjs tidies up formats after what it
 * receives, and sends that as its own edit.
 */
export function richDocumentOf(
  updates: readonly Uint8Array[],
  { gc = true }: { readonly gc?: boolean } = {},
): Y.Doc {
  const doc = new Y.Doc({ gc });
  richRoots(doc);
  addWithoutTidying(doc, updates);
  return doc;
}

function addWithoutTidying(doc: Y.Doc, updates: readonly Uint8Array[]): void {
  doc.transact((transaction) => {
    for (const update of updates) Y.applyUpdate(doc, update, RECEIVED);
    // Formats are tidied up after transactions that are not local.
    transaction.local = true;
  }, RECEIVED);
}

class HistoryMaker {
  readonly #seed: number;
  readonly #size: number;
  readonly #random: Random;
  readonly #options: RichHistoryOptions;
  readonly #made: MadeUpdate[] = [];
  readonly #sessions: Session[] = [];
  readonly #clientIds = new Set<number>();
  /** What the server holds, up to `#known` of its updates: made when a session asks for it. */
  readonly #server = new Y.Doc();
  #known = 0;

  constructor(seed: number, options: RichHistoryOptions) {
    this.#seed = seed;
    this.#size = options.size ?? 60;
    this.#random = createRandom(seed);
    this.#options = options;
    this.#server.clientID = 0;
    const count = options.sessions ?? this.#random.integer(2, 4);
    for (let i = 0; i < count; i++) this.#join();
  }

  make(): RichHistory {
    for (let step = 0; step < this.#size; step++) this.#step();
    this.#settle();
    const how = JSON.stringify({ ...this.#options, size: this.#size });
    return {
      [fc.toStringMethod]: () => `createRichHistory(${this.#seed}, ${how})`,
      seed: this.#seed,
      made: this.#made,
      updates: this.#made.map(({ update }) => update),
      sessions: this.#sessions.map(({ doc, state }) => ({ doc, left: state === "left" })),
    };
  }

  #step(): void {
    const session = this.#somePresent();
    const kind = this.#random.integer(0, 99);
    if (kind < 55) this.#edit(session);
    else if (kind < 62) this.#undo(session);
    else if (kind < 74) this.#send(session);
    else if (kind < 88) this.#receive(session);
    else if (kind < 92) this.#goOffline(session);
    else if (kind < 95) this.#comeBack(this.#someOffline() ?? session);
    else if (kind < 97 && this.#options.pastServer === true) this.#hear(session);
    else if (kind < 98) this.#reload(session);
    else this.#edit(session);
  }

  #present(): Session[] {
    return this.#sessions.filter(({ state }) => state !== "left");
  }

  #somePresent(): Session {
    const [first, ...others] = this.#present();
    if (first === undefined) throw new Error("every session that leaves is followed by another");
    return this.#random.pick([first, ...others]);
  }

  #someOffline(): Session | undefined {
    return this.#sessions.find(({ state }) => state === "offline");
  }

  #join(): Session {
    const doc = new Y.Doc({ gc: this.#random.chance(0.75) });
    doc.clientID = this.#newClientId();
    const roots = richRoots(doc);
    const scope = [roots.text, roots.map, roots.list, roots.xml];
    const session: Session = {
      index: this.#sessions.length,
      doc,
      // Steps end when it is told so, not with time.
      undoing: this.#random.chance(0.6)
        ? new Y.UndoManager(scope, { captureTimeout: Number.MAX_SAFE_INTEGER })
        : undefined,
      outbox: [],
      seen: 0,
      state: "online",
    };
    doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== RECEIVED) session.outbox.push(new Uint8Array(update));
    });
    this.#sessions.push(session);
    this.#download(session);
    return session;
  }

  /** As long as they come: one byte, 32 bits as Yjs has them, and 53 as others have them. */
  #newClientId(): number {
    for (;;) {
      const most = this.#random.pick([100, 0xffff_ffff, 0xffff_ffff, Number.MAX_SAFE_INTEGER]);
      const id = this.#random.integer(1, most);
      if (this.#clientIds.has(id) || !Number.isSafeInteger(id)) continue;
      this.#clientIds.add(id);
      return id;
    }
  }

  #edit(session: Session): void {
    const { tornPairs = false } = this.#options;
    const largest = this.#random.chance(0.05);
    const pasteLength = largest ? LARGEST_PASTE : 100 + PASTED_PER_SIZE * this.#size;
    if (this.#random.chance(0.5)) session.undoing?.stopCapturing();
    editRichly(session.doc, this.#random, { pasteLength, tornPairs });
  }

  #undo({ undoing }: Session): void {
    if (undoing === undefined) return;
    undoing.stopCapturing();
    if (this.#random.chance(0.6)) undoing.undo();
    else undoing.redo();
  }

  /** Some of what waits, now and then several updates as one. */
  #send(session: Session, count = this.#random.integer(1, session.outbox.length + 1)): void {
    if (session.state !== "online") return;
    const sent = session.outbox.splice(0, count);
    if (sent.length > 1 && this.#random.chance(0.2)) {
      this.#made.push({ session: session.index, update: Y.mergeUpdates(sent) });
      return;
    }
    for (const update of sent) this.#made.push({ session: session.index, update });
  }

  #receive(session: Session, most = this.#random.integer(1, 20)): void {
    if (session.state !== "online") return;
    for (const { session: sender, update } of this.#made.slice(session.seen, session.seen + most)) {
      if (sender !== session.index) Y.applyUpdate(session.doc, update, RECEIVED);
      session.seen += 1;
    }
  }

  #goOffline(session: Session): void {
    if (session.state !== "online") return;
    session.state = "offline";
    // What was on its way is lost; the session still holds it.
    session.outbox = [];
  }

  /** Both say what they hold, and each gets what it lacks, the session's whole set of deletions with it. */
  #comeBack(session: Session): void {
    if (session.state !== "offline") return;
    session.state = "online";
    this.#catchUp();
    const lacking = Y.encodeStateAsUpdate(session.doc, Y.encodeStateVector(this.#server));
    // All that waited is in it; what tidying up adds to what is downloaded comes after it.
    session.outbox = [];
    this.#download(session);
    this.#made.push({ session: session.index, update: lacking });
  }

  #download(session: Session): void {
    this.#catchUp();
    const state = Y.encodeStateVector(session.doc);
    Y.applyUpdate(session.doc, Y.encodeStateAsUpdate(this.#server, state), RECEIVED);
    session.seen = this.#made.length;
  }

  #catchUp(): void {
    const news = this.#made.slice(this.#known).map(({ update }) => update);
    if (news.length > 0) addWithoutTidying(this.#server, news);
    this.#known = this.#made.length;
  }

  /** From another session, past the server. */
  #hear(session: Session): void {
    const other = this.#somePresent();
    if (other === session) return;
    const state = Y.encodeStateVector(session.doc);
    Y.applyUpdate(session.doc, Y.encodeStateAsUpdate(other.doc, state), RECEIVED);
  }

  /** The page is loaded anew: another session begins with what the server holds. */
  #reload(session: Session): void {
    this.#comeBack(session);
    this.#send(session, session.outbox.length);
    session.state = "left";
    session.undoing?.destroy();
    this.#join();
  }

  /** Everybody is online and hears everything, until nobody has anything to say any more. */
  #settle(): void {
    for (const session of this.#present()) this.#comeBack(session);
    for (;;) {
      for (const session of this.#present()) this.#send(session, session.outbox.length);
      const behind = this.#present().filter(({ seen }) => seen < this.#made.length);
      if (behind.length === 0) return;
      for (const session of behind) this.#receive(session, this.#made.length);
    }
  }
}
