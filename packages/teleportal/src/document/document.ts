import {
  createReplica,
  decodeClientFrame,
  describeCause,
  encodeAwarenessFrame,
  encodeSyncStep1,
  encodeUpdateFrame,
} from "@teleportal/sync-core";
import type {
  Logger,
  PeerMessage,
  Replica,
  ReplicaDocument,
  ReplicaHost,
  ReplicaOptions,
  StateVector,
  Storing,
  TransportStreams,
} from "@teleportal/sync-core";
import type { Counters } from "../operations/counters.ts";
import type { DocumentStorage } from "../storage/document-storage.ts";
import { Journal } from "../storage/journal.ts";
import { MalformedUpdateError } from "../yjs-v1/malformed-update-error.ts";
import { Alarm } from "./alarm.ts";
import { BackgroundWork, finishSteps } from "./background-work.ts";
import type { Steps } from "./background-work.ts";
import { readRecords } from "./compact-records.ts";
import type { DeletedContent, ReadRecords, UnreadableRecord } from "./compact-records.ts";
import { Download } from "./download.ts";
import { History } from "./history.ts";
import { MalformedAwarenessError, Presence } from "./presence.ts";
import type { Schedule, ScheduledDocument } from "./schedule.ts";
import { StagedRepair } from "./staged-repair.ts";
import { openTransportLink } from "./transport-link.ts";
import type { TransportLink } from "./transport-link.ts";

/** A client of the document on this instance. */
export interface DocumentClient {
  /** Whether it has been sent the document, and so is sent what comes after that. */
  readonly follows: boolean;
  /** Never throws and never waits. */
  send(frame: Uint8Array): void;
}

/** One open document: its history, its presence, its clients here and its way to the other instances. */
export interface Document extends ScheduledDocument {
  join(client: DocumentClient): void;
  /** The client is gone, its presence with it. */
  leave(client: DocumentClient): void;
  /** The frames that take a client that holds `stateVector` here, as one change; the last is a SyncStep2. */
  download(stateVector: Uint8Array): readonly Uint8Array[];
  /** The SyncStep1 frame that asks a client for what it holds. */
  askFrame(): Uint8Array;
  /** All presence as one frame, if there is any. */
  presenceFrame(): Uint8Array | undefined;
  /** Whether the update holds nothing new. @throws MalformedUpdateError */
  isKnown(update: Uint8Array): boolean;
  /** Whether nothing that its authors typed before it is missing. @throws MalformedUpdateError */
  follows(update: Uint8Array): boolean;
  /**
   * Takes an update: checks it, keeps and stores what is new in it, and sends that to everybody else.
   *
   * @param frame The update as the client has sent it: sent on as it is if all of it is new.
   * @throws MalformedUpdateError, and nobody has seen it
   */
  take(update: Uint8Array, from: DocumentClient | PeerMessage, frame?: Uint8Array): void;
  /** Takes a client's presence. @throws MalformedAwarenessError or PresenceTooLargeError, and nobody has seen it */
  takeAwareness(client: DocumentClient, update: Uint8Array, frame: Uint8Array): void;
  /** Resolves when everything is stored. */
  saved(): Promise<void>;
  /** Says goodbye to the peers and ends the transport. Idempotent. */
  close(): Promise<void>;
}

export interface DocumentSettings {
  readonly id: string;
  readonly storage: DocumentStorage;
  readonly deletedContent: DeletedContent;
  readonly transport: TransportStreams<unknown> | undefined;
  readonly logger: Logger;
  readonly schedule: Schedule;
  readonly counters: Counters;
  /** How much presence one client may hold, in bytes; see `Presence`. */
  readonly presenceBytes: number;
  readonly replica: Pick<ReplicaOptions, "id" | "epoch" | "joinTimeout" | "offlineBudget">;
}

/** So much is read at once when a document is opened, in bytes: a few milliseconds. More is read in steps. */
const READ_AT_ONCE = 512 * 1024;

/** Loads a document and opens its way to the peers; resolves when joining clients can be answered. */
export async function openDocument(settings: DocumentSettings): Promise<Document> {
  const stored = await settings.storage.load(settings.id);
  const reading = readRecords(stored);
  const small = stored.reduce((bytes, { length }) => bytes + length, 0) <= READ_AT_ONCE;
  // By itself: it need not wait for what others make compact.
  const read = small ? finishSteps(reading) : await new BackgroundWork().run(reading);
  const document = new OpenDocument(settings, read, stored);
  await document.start();
  return document;
}

/** A class, with as few closures as can be: tens of thousands of quiet documents share their functions. */
class OpenDocument implements Document, ReplicaDocument, ReplicaHost {
  readonly #settings: DocumentSettings;
  readonly #history: History;
  readonly #staged: StagedRepair;
  readonly #presence: Presence;
  readonly #clients = new Set<DocumentClient>();
  /** Those whose presence is to be renewed at the peers; seldom anybody's. */
  #renewed: Set<object> | undefined;
  readonly #journal: Journal;
  readonly #alarm = new Alarm(() => this.#replica?.tick());
  readonly #replica: Replica | undefined;
  readonly #link: TransportLink | undefined;
  readonly #download: Download;
  #compacting = false;
  #joined: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #saidMalformed = false;

  constructor(
    settings: DocumentSettings,
    { history, unreadable }: ReadRecords,
    stored: readonly Uint8Array[],
  ) {
    const { id, storage, deletedContent, transport, logger, schedule } = settings;
    this.#settings = settings;
    this.#history = history;
    this.#staged = new StagedRepair(history);
    this.#download = new Download(history);
    this.#presence = new Presence(settings.presenceBytes);
    this.#journal = new Journal({
      documentId: id,
      storage,
      stored,
      deletedContent,
      logger,
      background: schedule.background,
      onStored: () => {
        if (this.#closing === undefined) this.#replica?.stored();
      },
    });
    if (unreadable.length > 0) this.#reportUnreadable(unreadable);
    if (transport === undefined) return;
    this.#replica = createReplica(this, this, settings.replica);
    this.#link = openTransportLink(id, transport, logger, (message) => {
      if (this.#closing === undefined) this.#replica?.receive(message);
    });
  }

  /** Resolves when joining clients can be answered. */
  async start(): Promise<void> {
    this.#makeSmall();
    const replica = this.#replica;
    if (replica === undefined) return;
    replica.start();
    // Also before it was started, as when the link is down.
    if (replica.hasJoined()) return;
    await new Promise<void>((resolve) => {
      this.#joined = resolve;
    });
  }

  // What the clients' connections call, and the server.

  join(client: DocumentClient): void {
    this.#clients.add(client);
  }

  leave(client: DocumentClient): void {
    this.#clients.delete(client);
    const update = this.#presence.remove(client);
    if (update === undefined) return;
    const frame = encodeAwarenessFrame(update);
    this.#sendPresence(frame);
    this.#replica?.localAwareness(frame);
    this.#settings.schedule.flush(this);
  }

  download(stateVector: Uint8Array): readonly Uint8Array[] {
    if (this.#history.bloatedAndSmall && !this.#compacting) {
      finishSteps(this.#history.compact(this.#settings.deletedContent));
    }
    return this.#download.frames(stateVector);
  }

  askFrame(): Uint8Array {
    return encodeSyncStep1(this.#history.stateVector());
  }

  presenceFrame(): Uint8Array | undefined {
    const update = this.#presence.snapshot();
    return update && encodeAwarenessFrame(update);
  }

  isKnown(update: Uint8Array): boolean {
    return this.#history.isKnown(update);
  }

  follows(update: Uint8Array): boolean {
    return this.#history.follows(update);
  }

  take(update: Uint8Array, from: DocumentClient | PeerMessage, frame?: Uint8Array): void {
    const news = this.#history.take(update);
    if (news === undefined) return;
    this.#download.outdated();
    const forwarded = frame !== undefined && news === update ? frame : encodeUpdateFrame(news);
    for (const client of this.#clients) {
      if (client !== from && client.follows) client.send(forwarded);
    }
    if ("sender" in from) {
      this.#storeFromPeer(news, from);
      return;
    }
    this.#replica?.localUpdate(forwarded);
    this.#journal.write(news);
    this.#settings.schedule.flush(this);
  }

  takeAwareness(client: DocumentClient, update: Uint8Array, frame: Uint8Array): void {
    const said = this.#presence.apply(update, client, {
      onReturn: (objection) => client.send(encodeAwarenessFrame(objection)),
    });
    if (said === undefined) return;
    this.#sendPresence(frame, client);
    if (this.#replica === undefined) return;
    if (said === "renewed") {
      (this.#renewed ??= new Set()).add(client);
      this.#settings.schedule.renewSoon(this);
      return;
    }
    this.#replica.localAwareness(frame);
    this.#settings.schedule.flush(this);
  }

  renew(): void {
    const due = this.#renewed;
    this.#renewed = undefined;
    const update = this.#presence.snapshot(
      (owner) => typeof owner === "object" && due?.has(owner) === true,
    );
    if (update === undefined || this.#closing !== undefined) return;
    this.#replica?.localRenewal(encodeAwarenessFrame(update));
    this.#replica?.flush();
  }

  flush(): void {
    if (this.#closing !== undefined) return;
    this.#replica?.flush();
    // Behind what the replica has just sent: nobody waits for it.
    this.#settings.schedule.store(this);
  }

  store(): void {
    this.#journal.flush();
    this.#makeSmall();
  }

  saved(): Promise<void> {
    return this.#journal.saved();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  // What the replica calls.

  stateVector(): Uint8Array {
    return this.#history.stateVector();
  }

  digest(): Uint8Array {
    return this.#history.digest();
  }

  complete(): boolean {
    return this.#history.complete();
  }

  difference(stateVector: Uint8Array, limit: number) {
    return this.#history.difference(stateVector, limit);
  }

  withStaged() {
    return this.#staged.state();
  }

  now(): number {
    return performance.now();
  }

  random(): number {
    return Math.random();
  }

  send(message: PeerMessage): void {
    if (message.kind === "request") this.#settings.counters.repairsAsked += 1;
    else if (message.kind === "reply") this.#settings.counters.repairsSent += 1;
    this.#link?.send(message);
  }

  apply(frames: readonly Uint8Array[], from: PeerMessage, heldByPeer?: StateVector): void {
    const staged = heldByPeer === undefined ? "none" : this.#staged.finish(from, heldByPeer);
    if (staged === "outdated") return;
    if (from.kind === "reply" && (staged !== "none" || frames.length > 0)) {
      this.#settings.counters.repairsReceived += 1;
    }
    if (staged === "none" && (from.kind === "update" || frames.length <= 1)) {
      this.#forEachUpdate(frames, from, (update, frame) => this.take(update, from, frame));
      return;
    }
    // One change, however many parts it has come in.
    const repair = staged === "none" ? new History() : staged;
    this.#forEachUpdate(frames, from, (update) => void repair.take(update));
    this.take(repair.state(), from);
  }

  stage(frames: readonly Uint8Array[], from: PeerMessage): boolean {
    let gained = false;
    this.#forEachUpdate(frames, from, (update) => {
      if (this.#staged.add(update, from)) gained = true;
    });
    return gained;
  }

  storing(): Storing {
    if (!this.#settings.storage.shared) return "apart";
    return this.#journal.settled ? "done" : "due";
  }

  confirmed(sender: string): void {
    this.#journal.confirmed(sender);
  }

  applyAwareness(frames: readonly Uint8Array[], from: PeerMessage): void {
    for (const frame of frames) {
      const read = decodeClientFrame(frame);
      try {
        if (read.type !== "awareness") throw new MalformedAwarenessError("another frame");
        const renewal = from.kind === "renewal";
        if (this.#presence.apply(read.update, from.sender, { renewal }) !== undefined) {
          this.#sendPresence(frame);
        }
      } catch (error) {
        if (!(error instanceof MalformedAwarenessError)) throw error;
        this.malformed(from);
      }
    }
  }

  gone(sender: string): void {
    this.#journal.abandoned(sender);
    const update = this.#presence.remove(sender);
    if (update !== undefined) this.#sendPresence(encodeAwarenessFrame(update));
  }

  awarenessSnapshot(): Uint8Array | undefined {
    const update = this.#presence.snapshot((owner) => typeof owner === "object");
    return update && encodeAwarenessFrame(update);
  }

  missed(): void {
    this.#settings.counters.gaps += 1;
  }

  malformed(message: PeerMessage): void {
    if (this.#saidMalformed) return;
    this.#saidMalformed = true;
    this.#settings.logger.warn(
      `[teleportal] a ${message.kind} of peer ${message.sender} for ${this.#settings.id} is malformed: ` +
        "skipped, and not reported again for this document",
    );
  }

  joined(): void {
    this.#joined?.();
    this.#joined = undefined;
  }

  wakeAt(time: number | undefined): void {
    this.#alarm.set(time);
  }

  #sendPresence(frame: Uint8Array, except?: DocumentClient): void {
    for (const client of this.#clients) if (client !== except) client.send(frame);
  }

  #forEachUpdate(
    frames: readonly Uint8Array[],
    from: PeerMessage,
    take: (update: Uint8Array, frame: Uint8Array | undefined) => void,
  ): void {
    for (const frame of frames) {
      const read = decodeClientFrame(frame);
      try {
        // To a client, SyncStep2 means that all is there; from a peer it is one more update.
        if (read.type === "update") take(read.update, frame);
        else if (read.type === "sync-step-2") take(read.update, undefined);
        else this.malformed(from);
      } catch (error) {
        if (!(error instanceof MalformedUpdateError)) throw error;
        this.malformed(from);
      }
    }
  }

  #storeFromPeer(update: Uint8Array, from: PeerMessage): void {
    const { schedule, storage } = this.#settings;
    if (storage.shared && from.kind === "update") {
      // The peer stores it; what a repair has brought may be of one that is gone.
      this.#journal.keep(from.sender, update);
      if (this.#history.scattered || this.#history.bloated) schedule.store(this);
      return;
    }
    this.#journal.write(update);
    if (this.#journal.crowded) schedule.store(this);
    else schedule.storeSoon(this);
  }

  /** Gathers what is scattered, and compacts what is bloated beside the other work. */
  #makeSmall(): void {
    if (this.#history.scattered) this.#history.gather();
    if (!this.#history.bloated || this.#compacting) return;
    this.#compacting = true;
    void this.#compact();
  }

  async #compact(): Promise<void> {
    const { id, deletedContent, logger, schedule } = this.#settings;
    try {
      await schedule.background.run(this.#untilClosed(this.#history.compact(deletedContent)));
      this.#compacting = false;
      this.#download.outdated();
      // As much may have come meanwhile.
      if (this.#closing === undefined) this.#makeSmall();
    } catch (cause) {
      // Not tried again: it would fail each time.
      logger.error(
        `[teleportal] compacting ${id} failed (${describeCause(cause)}): it goes on as it is, and takes more memory`,
      );
    }
  }

  *#untilClosed(steps: Steps<void>): Steps<void> {
    for (const _ of steps) {
      if (this.#closing !== undefined) return;
      yield;
    }
  }

  #reportUnreadable(unreadable: readonly UnreadableRecord[]): void {
    const { id, counters, logger } = this.#settings;
    counters.recordsUnreadable += unreadable.length;
    logger.error(
      `[teleportal] the storage of ${id} holds ${unreadable.length} record(s) that are not a V1 update of Yjs ` +
        `(${describeCause(unreadable[0]?.cause)}): they are left out, and stay in the storage; ` +
        "convert V2 updates with Y.convertUpdateFormatV2ToV1",
    );
  }

  async #close(): Promise<void> {
    this.#journal.abandonedByAll();
    await Promise.all([this.#leave(), this.#journal.close()]);
  }

  /** Says goodbye behind what is stored without waiting for it. */
  async #leave(): Promise<void> {
    this.#replica?.leave();
    this.#alarm.cancel();
    await this.#link?.close();
  }
}
