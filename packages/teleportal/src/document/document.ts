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
  const { id, storage, transport, logger, background, counters } = settings;
  const stored = await storage.load(id);
  const log = new UpdateLog(stored);
  const presence = new Presence(settings.presenceBytes);
  const clients = new Set<DocumentClient>();
  /** Those whose presence is to be renewed at the peers; seldom anybody's. */
  let renewed: Set<object> | undefined;
  const writer = new StorageWriter(id, storage, stored.length, logger, background, log);
  let closing: Promise<void> | undefined;
  const alarm = new Alarm(() => replica?.tick());
  const upkeep = new LogUpkeep(
    log,
    background,
    () => replica?.changed(),
    (what, cause) => {
      logger.error(
        `[teleportal] ${what} ${id} failed (${describeCause(cause)}): it goes on as it is; ` +
          "a client has written what Yjs cannot apply",
      );
    },
  );
  let saidMalformed = false;

  let joined: () => void;
  const whenJoined = new Promise<void>((resolve) => {
    joined = resolve;
  });

  function sendToClients(frame: Uint8Array, except?: DocumentClient): void {
    for (const client of clients) if (client !== except) client.send(frame);
  }

  function sayMalformed(message: PeerMessage): void {
    if (saidMalformed) return;
    saidMalformed = true;
    logger.warn(
      `[teleportal] a ${message.kind} of peer ${message.sender} for ${id} is malformed: ` +
        "skipped, and not reported again for this document",
    );
  }

  function applyFrame(frame: Uint8Array, from: PeerMessage): void {
    const read = decodeClientFrame(frame);
    if (read.type !== "update" && read.type !== "sync-step-2") {
      sayMalformed(from);
      return;
    }
    const { update } = read;
    try {
      if (log.append(update) === "known") return;
    } catch (error) {
      if (!(error instanceof MalformedUpdateError)) throw error;
      sayMalformed(from);
      return;
    }
    // To a client, SyncStep2 means that all is there; from a peer it is one more update.
    sendToClients(read.type === "update" ? frame : encodeUpdateFrame(update));
    if (!storage.shared) {
      writer.write(update);
      if (writer.crowded) settings.storeAfterTurn(document);
      else settings.storeSoon(document);
    }
    upkeep.soon();
  }

  const host: ReplicaHost = {
    now: () => performance.now(),
    random: Math.random,
    send(message) {
      if (message.kind === "request") counters.repairsAsked += 1;
      else if (message.kind === "reply") counters.repairsSent += 1;
      link?.send(message);
    },
    apply(frames, from) {
      if (from.kind === "reply") counters.repairsReceived += 1;
      for (const frame of frames) applyFrame(frame, from);
    },
    applyAwareness(frames, from) {
      for (const frame of frames) {
        const read = decodeClientFrame(frame);
        try {
          if (read.type !== "awareness") throw new MalformedAwarenessError("another frame");
          const renewal = from.kind === "renewal";
          if (presence.apply(read.update, from.sender, { renewal }) !== undefined) {
            sendToClients(frame);
          }
        } catch (error) {
          if (!(error instanceof MalformedAwarenessError)) throw error;
          sayMalformed(from);
        }
      }
    },
    gone(sender) {
      const update = presence.remove(sender);
      if (update !== undefined) sendToClients(encodeAwarenessFrame(update));
    },
    awarenessSnapshot() {
      const update = presence.snapshot((owner) => typeof owner === "object");
      return update && encodeAwarenessFrame(update);
    },
    missed() {
      counters.gaps += 1;
    },
    malformed: sayMalformed,
    joined: () => joined(),
    wakeAt: (time) => alarm.set(time),
  };

  const replica: Replica | undefined =
    transport && createReplica(log, host, { ...settings.replica });
  const link: TransportLink | undefined =
    transport &&
    openTransportLink(id, transport, logger, (message) => {
      if (closing === undefined) replica?.receive(message);
    });

  const document: Document = {
    join(client) {
      clients.add(client);
    },
    leave(client) {
      clients.delete(client);
      const update = presence.remove(client);
      if (update === undefined) return;
      const frame = encodeAwarenessFrame(update);
      sendToClients(frame);
      replica?.localAwareness(frame);
      settings.flushAfterTurn(document);
    },
    syncFrames: (stateVector) => syncFrames(log, stateVector),
    askFrame: () => encodeSyncStep1(log.stateVector()),
    presenceFrame() {
      const update = presence.snapshot();
      return update && encodeAwarenessFrame(update);
    },
    isKnown: (update) => log.isKnown(update),
    acceptUpdate(client, update, frame) {
      if (log.append(update) === "known") return;
      const forwarded = frame ?? encodeUpdateFrame(update);
      sendToClients(forwarded, client);
      replica?.localUpdate(forwarded);
      writer.write(update);
      settings.flushAfterTurn(document);
      upkeep.soon();
    },
    acceptAwareness(client, update, frame) {
      const said = presence.apply(update, client, {
        onReturn: (objection) => client.send(encodeAwarenessFrame(objection)),
      });
      if (said === undefined) return;
      sendToClients(frame, client);
      if (replica === undefined) return;
      if (said === "renewed") {
        (renewed ??= new Set()).add(client);
        settings.renewSoon(document);
        return;
      }
      replica.localAwareness(frame);
      settings.flushAfterTurn(document);
    },
    renew() {
      const due = renewed;
      renewed = undefined;
      const update = presence.snapshot(
        (owner) => typeof owner === "object" && due?.has(owner) === true,
      );
      if (update === undefined || closing !== undefined) return;
      replica?.localRenewal(encodeAwarenessFrame(update));
      replica?.flush();
    },
    flush() {
      if (closing !== undefined) return;
      replica?.flush();
      // Behind what the replica has just sent: nobody waits for it.
      settings.storeAfterTurn(document);
    },
    store: () => writer.flush(),
    saved: () => writer.saved(),
    close() {
      closing ??= (async () => {
        upkeep.end();
        replica?.leave();
        alarm.cancel();
        await Promise.all([link?.close(), writer.close()]);
      })();
      return closing;
    },
  };

  upkeep.soon();
  if (replica === undefined) return document;
  replica.start();
  await whenJoined;
  return document;
}
