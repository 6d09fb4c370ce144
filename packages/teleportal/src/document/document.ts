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
  ReplicaHost,
  ReplicaOptions,
  TransportStreams,
} from "@teleportal/sync-core";
import type { Counters } from "../operations/counters.ts";
import type { DocumentStorage } from "../storage/document-storage.ts";
import { Alarm } from "./alarm.ts";
import { MalformedUpdateError } from "./decoded-update.ts";
import { MalformedAwarenessError, Presence } from "./presence.ts";
import type { BackgroundWork } from "./background-work.ts";
import { LogUpkeep } from "./log-upkeep.ts";
import type { Upkeep, UpkeepHost } from "./log-upkeep.ts";
import { StorageWriter } from "./storage-writer.ts";
import { syncFrames } from "./sync-frames.ts";
import { openTransportLink } from "./transport-link.ts";
import type { TransportLink } from "./transport-link.ts";
import { UpdateLog } from "./update-log.ts";

/** A client of the document on this instance. `send` never throws and never waits. */
export interface DocumentClient {
  send(frame: Uint8Array): void;
}

/** One open document: its log, its presence, its clients here and its way to the other instances. */
export interface Document {
  join(client: DocumentClient): void;
  /** The client is gone, its presence with it. */
  leave(client: DocumentClient): void;
  /** The frames that bring a client holding `stateVector` here; the last is a SyncStep2. */
  syncFrames(stateVector: Uint8Array): Uint8Array[];
  /** The SyncStep1 frame that asks a client for what it holds. */
  askFrame(): Uint8Array;
  /** All presence as one frame, if there is any. */
  presenceFrame(): Uint8Array | undefined;
  /** Whether the update holds nothing new. @throws MalformedUpdateError */
  isKnown(update: Uint8Array): boolean;
  /**
   * Takes a client's update: checks, stores and sends it to everybody else, as the frame it came in.
   * @throws MalformedUpdateError, and nobody has seen it
   */
  acceptUpdate(client: DocumentClient, update: Uint8Array, frame: Uint8Array | undefined): void;
  /** Takes a client's presence. @throws MalformedAwarenessError or PresenceTooLargeError, and nobody has seen it */
  acceptAwareness(client: DocumentClient, update: Uint8Array, frame: Uint8Array): void;
  /** Sends what this event-loop turn has collected to the other instances, and then to the storage. */
  flush(): void;
  /** Tells the peers that presence goes on which clients here have renewed. */
  renew(): void;
  /** Begins to store what is not. */
  store(): void;
  /** Resolves when everything is stored. */
  saved(): Promise<void>;
  /** Says goodbye to the peers and ends the transport. Idempotent. */
  close(): Promise<void>;
}

export interface DocumentSettings {
  readonly id: string;
  readonly storage: DocumentStorage;
  readonly transport: TransportStreams<unknown> | undefined;
  readonly logger: Logger;
  readonly background: BackgroundWork;
  readonly counters: Counters;
  /** How much presence one client may hold, in bytes; see `Presence`. */
  readonly presenceBytes: number;
  readonly replica: Pick<ReplicaOptions, "id" | "epoch" | "joinTimeout" | "offlineBudget">;
  /** Asks for `flush` after this event-loop turn. */
  flushAfterTurn(document: Document): void;
  /** Asks for `store` after this event-loop turn, behind what is on its way to the peers. */
  storeAfterTurn(document: Document): void;
  /** Asks for `renew` within a few seconds. */
  renewSoon(document: Document): void;
  /** Asks for `store` within a moment. */
  storeSoon(document: Document): void;
}

/** Loads a document and opens its way to the peers; resolves when joining clients can be answered. */
export async function openDocument(settings: DocumentSettings): Promise<Document> {
  const document = new OpenDocument(settings, await settings.storage.load(settings.id));
  await document.start();
  return document;
}

/** A class, with as few closures as can be: tens of thousands of quiet documents share their functions. */
class OpenDocument implements Document, ReplicaHost, UpkeepHost {
  readonly #settings: DocumentSettings;
  readonly #log: UpdateLog;
  readonly #presence: Presence;
  readonly #clients = new Set<DocumentClient>();
  /** Those whose presence is to be renewed at the peers; seldom anybody's. */
  #renewed: Set<object> | undefined;
  readonly #writer: StorageWriter;
  readonly #alarm = new Alarm(() => this.#replica?.tick());
  readonly #upkeep: LogUpkeep;
  readonly #replica: Replica | undefined;
  readonly #link: TransportLink | undefined;
  #joined: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #saidMalformed = false;

  constructor(settings: DocumentSettings, stored: readonly Uint8Array[]) {
    const { id, storage, transport, logger, background } = settings;
    this.#settings = settings;
    this.#log = new UpdateLog(stored);
    this.#presence = new Presence(settings.presenceBytes);
    this.#writer = new StorageWriter(id, storage, stored.length, logger, background, this.#log);
    this.#upkeep = new LogUpkeep(this.#log, background, this);
    if (transport === undefined) return;
    this.#replica = createReplica(this.#log, this, settings.replica);
    this.#link = openTransportLink(id, transport, logger, (message) => {
      if (this.#closing === undefined) this.#replica?.receive(message);
    });
  }

  /** Resolves when joining clients can be answered. */
  async start(): Promise<void> {
    this.#upkeep.soon();
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
    this.#sendToClients(frame);
    this.#replica?.localAwareness(frame);
    this.#settings.flushAfterTurn(this);
  }

  syncFrames(stateVector: Uint8Array): Uint8Array[] {
    return syncFrames(this.#log, stateVector);
  }

  askFrame(): Uint8Array {
    return encodeSyncStep1(this.#log.stateVector());
  }

  presenceFrame(): Uint8Array | undefined {
    const update = this.#presence.snapshot();
    return update && encodeAwarenessFrame(update);
  }

  isKnown(update: Uint8Array): boolean {
    return this.#log.isKnown(update);
  }

  acceptUpdate(client: DocumentClient, update: Uint8Array, frame: Uint8Array | undefined): void {
    if (this.#log.append(update) === "known") return;
    const forwarded = frame ?? encodeUpdateFrame(update);
    this.#sendToClients(forwarded, client);
    this.#replica?.localUpdate(forwarded);
    this.#writer.write(update);
    this.#settings.flushAfterTurn(this);
    this.#upkeep.soon();
  }

  acceptAwareness(client: DocumentClient, update: Uint8Array, frame: Uint8Array): void {
    const said = this.#presence.apply(update, client, {
      onReturn: (objection) => client.send(encodeAwarenessFrame(objection)),
    });
    if (said === undefined) return;
    this.#sendToClients(frame, client);
    if (this.#replica === undefined) return;
    if (said === "renewed") {
      (this.#renewed ??= new Set()).add(client);
      this.#settings.renewSoon(this);
      return;
    }
    this.#replica.localAwareness(frame);
    this.#settings.flushAfterTurn(this);
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
    this.#settings.storeAfterTurn(this);
  }

  store(): void {
    this.#writer.flush();
  }

  saved(): Promise<void> {
    return this.#writer.saved();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  // What the replica calls.

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

  apply(frames: readonly Uint8Array[], from: PeerMessage): void {
    if (from.kind === "reply") this.#settings.counters.repairsReceived += 1;
    for (const frame of frames) this.#applyFrame(frame, from);
  }

  applyAwareness(frames: readonly Uint8Array[], from: PeerMessage): void {
    for (const frame of frames) {
      const read = decodeClientFrame(frame);
      try {
        if (read.type !== "awareness") throw new MalformedAwarenessError("another frame");
        const renewal = from.kind === "renewal";
        if (this.#presence.apply(read.update, from.sender, { renewal }) !== undefined) {
          this.#sendToClients(frame);
        }
      } catch (error) {
        if (!(error instanceof MalformedAwarenessError)) throw error;
        this.malformed(from);
      }
    }
  }

  gone(sender: string): void {
    const update = this.#presence.remove(sender);
    if (update !== undefined) this.#sendToClients(encodeAwarenessFrame(update));
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

  // What the upkeep of the log calls.

  compacted(): void {
    this.#replica?.changed();
  }

  upkeepFailed(what: Upkeep, cause: unknown): void {
    const { id, logger } = this.#settings;
    logger.error(
      `[teleportal] ${what} ${id} failed (${describeCause(cause)}): it goes on as it is; ` +
        "a client has written what Yjs cannot apply",
    );
  }

  #sendToClients(frame: Uint8Array, except?: DocumentClient): void {
    for (const client of this.#clients) if (client !== except) client.send(frame);
  }

  #applyFrame(frame: Uint8Array, from: PeerMessage): void {
    const read = decodeClientFrame(frame);
    if (read.type !== "update" && read.type !== "sync-step-2") {
      this.malformed(from);
      return;
    }
    const { update } = read;
    try {
      if (this.#log.append(update) === "known") return;
    } catch (error) {
      if (!(error instanceof MalformedUpdateError)) throw error;
      this.malformed(from);
      return;
    }
    // To a client, SyncStep2 means that all is there; from a peer it is one more update.
    this.#sendToClients(read.type === "update" ? frame : encodeUpdateFrame(update));
    if (!this.#settings.storage.shared) {
      this.#writer.write(update);
      if (this.#writer.crowded) this.#settings.storeAfterTurn(this);
      else this.#settings.storeSoon(this);
    }
    this.#upkeep.soon();
  }

  async #close(): Promise<void> {
    this.#upkeep.end();
    this.#replica?.leave();
    this.#alarm.cancel();
    await Promise.all([this.#link?.close(), this.#writer.close()]);
  }
}
