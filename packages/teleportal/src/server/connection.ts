import {
  decodeClientFrame,
  decodeStateVector,
  describeCause,
  encodePermissionDenied,
  isSyncStep2,
} from "@teleportal/sync-core";
import type { Logger } from "@teleportal/sync-core";
import type { Document } from "../document/document.ts";
import type { Counters } from "../operations/counters.ts";
import { MalformedAwarenessError, PresenceTooLargeError } from "../document/presence.ts";
import { MalformedUpdateError } from "../yjs-v1/malformed-update-error.ts";
import type { ClientConnection, ClientSocket } from "./client-socket.ts";
import { CloseCode } from "./close-code.ts";
import type { Limits } from "./limits.ts";
import { Pace } from "./pace.ts";

/** An awareness frame that names nobody: changes nothing, and tells a y-websocket client that the link is alive. */
const KEEPALIVE_FRAME = new Uint8Array([1, 1, 0]);

/** What a waiting frame costs beside its bytes, so that many tiny ones count as the memory they take. */
const QUEUED_FRAME_OVERHEAD = 256;

/** A connection as the server holds it. */
export interface ServerConnection<Client> extends ClientConnection {
  readonly client: Client;
  /** Neither the client nor the server has ended it. */
  isOpen(): boolean;
  send(frame: Uint8Array): void;
  /** Gives the client a sign that the connection is alive, and looks for one of it. */
  keepAlive(): void;
  close(code: CloseCode, reason: string): void;
  /** Asks again what the client may; resolves with whether it may still read, and is closed if not. */
  recheck(): Promise<boolean>;
}

/** What connections ask of their server. */
export interface ConnectionHost<Client> {
  readonly limits: Limits;
  readonly logger: Logger;
  readonly counters: Counters;
  mayRead(client: Client): Promise<boolean>;
  mayWrite(client: Client): Promise<boolean>;
  /** Why the document takes no further connection now, if so. */
  refusal(documentId: string): string | undefined;
  /** Opens the document for a connection; `release` is called once for each that resolved. */
  open(client: Client): Promise<Document>;
  release(documentId: string): void;
  ended(connection: ServerConnection<Client>): void;
  /** An update was refused that no client of Yjs could take. */
  updateRefused(documentId: string, cause: MalformedUpdateError): void;
}

/** Where a view into a frame ends in it: what a client has sent behind it means nothing. */
function endOf(view: Uint8Array, frame: Uint8Array): number {
  return view.byteOffset + view.length - frame.byteOffset;
}

type WritePermission = "unknown" | "granted" | "denied";

/**
 * - `closing`: the server has ended it; what the client sends is not taken any more.
 * - `gone`: the client has left while something was waited for; what it had sent by then is still taken.
 */
type ConnectionState = "open" | "closing" | "gone" | "closed";

/**
 * One client in one document, over the y-websocket protocol. Frames are handled strictly in order: while something
 * has to be waited for (the document, a permission) those that follow wait as well, up to the limit.
 */
export function createConnection<Client extends { readonly documentId: string }>(
  socket: ClientSocket,
  client: Client,
  host: ConnectionHost<Client>,
): ServerConnection<Client> {
  const connection = new DocumentConnection(socket, client, host);
  void connection.begin();
  return connection;
}

class DocumentConnection<
  Client extends { readonly documentId: string },
> implements ServerConnection<Client> {
  readonly client: Client;
  /** It has been sent the document: what others type comes behind that, never before. */
  follows = false;
  readonly #socket: ClientSocket;
  readonly #host: ConnectionHost<Client>;
  readonly #pace: Pace;
  #document: Document | undefined;
  #write: WritePermission = "unknown";
  /**
   * Whether what the client types has a gap before it. `refused`: an edit was. `asked`: the client may write again and was asked for
   * its state, in which there are all of its edits.
   */
  #gap: "none" | "refused" | "asked" = "none";
  /** How often permissions have been taken back: an answer to an earlier question does not count. */
  #rechecks = 0;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #busy = true;
  #state: ConnectionState = "open";
  /** What may be buffered now: the limit, and what the client's own download of the document takes. */
  #allowance: number;
  /** That download is not through yet. */
  #downloading = false;

  constructor(socket: ClientSocket, client: Client, host: ConnectionHost<Client>) {
    this.#socket = socket;
    this.client = client;
    this.#host = host;
    this.#pace = new Pace(socket, host.limits);
    this.#allowance = host.limits.bufferedBytes;
  }

  /** Takes the client in, once it may read and the document is open. */
  async begin(): Promise<void> {
    try {
      await this.#begin();
    } catch (error) {
      if (!this.#takesFrames()) return;
      this.#host.logger.error(
        `[teleportal] opening ${this.client.documentId} for a client failed (${describeCause(error)}): ` +
          "its connection is closed, and it may try again",
      );
      this.close(CloseCode.internalError, "the document cannot be opened");
    }
  }

  isOpen(): boolean {
    return this.#state === "open";
  }

  send(frame: Uint8Array): void {
    if (this.#state !== "open") return;
    const bytes = this.#buffered();
    if (bytes + frame.length > this.#allowance && bytes > 0) {
      this.#host.counters.clientsTooSlow += 1;
      this.close(CloseCode.tryAgainLater, "too slow: reconnect to sync again");
      return;
    }
    this.#transmit(frame);
  }

  close(code: CloseCode, reason: string): void {
    if (this.#state === "gone") this.#queue = [];
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#queue = [];
    this.#document?.leave(this);
    this.#pace.end();
    this.#socket.close(code, reason);
  }

  async recheck(): Promise<boolean> {
    this.#rechecks += 1;
    this.#write = "unknown";
    if (await this.#deniesReading()) return false;
    if (this.#gap === "refused") await this.#askToWrite();
    return true;
  }

  keepAlive(): void {
    if (this.#state !== "open") return;
    this.#count(KEEPALIVE_FRAME);
    if (this.#socket.keepAlive === undefined) this.#socket.send(KEEPALIVE_FRAME);
    else this.#socket.keepAlive(KEEPALIVE_FRAME);
  }

  receive(frame: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#host.counters.clientMessagesIn += 1;
    this.#host.counters.clientBytesIn += frame.length;
    const { bufferedBytes, bytesPerSecond, documentBytes, frameBytes } = this.#host.limits;
    const isUpload = isSyncStep2(frame);
    if (frame.length > (isUpload ? documentBytes : frameBytes)) {
      this.#refuseSize(frame.length, isUpload ? "documentBytes" : "frameBytes");
      return;
    }
    // A document that comes again counts as a second's worth at most, or a socket that cannot be paused never gets it through.
    if (!this.#isInTime(isUpload ? Math.min(frame.length, bytesPerSecond) : frame.length)) return;
    if (this.#busy || this.#document === undefined) {
      this.#queuedBytes += frame.length + QUEUED_FRAME_OVERHEAD;
      if (this.#queuedBytes > Math.max(bufferedBytes, frameBytes, isUpload ? documentBytes : 0)) {
        this.close(CloseCode.tryAgainLater, "too much sent before the document was open");
        return;
      }
      this.#queue.push(new Uint8Array(frame));
      return;
    }
    const waiting = this.#take(this.#document, frame);
    if (waiting === undefined) return;
    this.#busy = true;
    const target = this.#document;
    void waiting.then(() => this.#drain(target));
  }

  oversized(moreThan: number): void {
    if (this.#state === "open") this.#refuseSize(moreThan, "documentBytes");
  }

  closed(): void {
    if (this.#state === "closed" || this.#state === "gone") return;
    if (this.#state === "open") this.#document?.leave(this);
    this.#pace.end();
    this.#host.ended(this);
    const typing =
      this.#state === "open" &&
      this.#busy &&
      (this.#queue.length > 0 || this.#document !== undefined);
    if (typing) this.#state = "gone";
    else this.#finish();
  }

  #takesFrames(): boolean {
    return this.#state === "open" || this.#state === "gone";
  }

  /** Gives the document back. */
  #finish(): void {
    this.#state = "closed";
    this.#queue = [];
    if (this.#document !== undefined) this.#host.release(this.client.documentId);
    this.#document = undefined;
  }

  #buffered(): number {
    const bytes = this.#socket.bufferedAmount;
    if (bytes === 0) {
      this.#allowance = this.#host.limits.bufferedBytes;
      this.#downloading = false;
    }
    return bytes;
  }

  #count(frame: Uint8Array): void {
    this.#host.counters.clientMessagesOut += 1;
    this.#host.counters.clientBytesOut += frame.length;
  }

  #transmit(frame: Uint8Array): void {
    this.#count(frame);
    this.#socket.send(frame);
  }

  /** Sends the document, however large; it is not held against the client that has asked for it. */
  #sendDownload(frames: readonly Uint8Array[]): void {
    let size = 0;
    for (const frame of frames) size += frame.length;
    const bytes = this.#buffered();
    // Asked again before the last answer is through: that, and what follows it, brings the client here as well.
    if (this.#downloading && bytes + size > this.#allowance) return;
    this.#downloading = true;
    this.follows = true;
    this.#allowance += size;
    for (const frame of frames) this.#transmit(frame);
  }

  #refuse(what: string, code: CloseCode = CloseCode.malformed): void {
    this.#host.counters.clientsRefused += 1;
    this.send(encodePermissionDenied(`malformed ${what}: refused, and nobody else has seen it`));
    this.close(code, `malformed ${what}`);
  }

  #refuseSize(bytes: number, limit: "documentBytes" | "frameBytes"): void {
    const { counters, limits, logger } = this.#host;
    counters.clientsRefused += 1;
    const isUpload = limit === "documentBytes";
    const what = isUpload ? "document" : "frame";
    logger.warn(
      `[teleportal] a client of ${this.client.documentId} has sent a ${what} of at least ${bytes} bytes, and limits.${limit} is ` +
        `${limits[limit]}: its connection is closed`,
    );
    this.close(
      isUpload ? CloseCode.documentTooLarge : CloseCode.tooLarge,
      `a ${what} of ${bytes} bytes: at most ${limits[limit]}`,
    );
  }

  #takeUpdate(
    target: Document,
    update: Uint8Array,
    frame: Uint8Array | undefined,
  ): void | Promise<void> {
    if (this.#write === "granted") {
      // Behind a gap its deletions would act, and its insertions would wait: a document that nobody made.
      if (this.#gap === "none" || target.follows(update)) target.take(update, this, frame);
      return;
    }
    // What a read-only client sends back in the handshake holds nothing new, and is no attempt to write.
    if (target.isKnown(update)) return;
    if (this.#write === "denied") {
      this.#gap = "refused";
      this.send(encodePermissionDenied(`no permission to write ${this.client.documentId}`));
      return;
    }
    // The socket's buffer may be used again by then.
    const kept = new Uint8Array(update);
    return this.#askToWrite().then(() => {
      if (this.#takesFrames()) return this.#takeUpdate(target, kept, frame);
    });
  }

  /** Asks whether the client may write. If it may, and was refused before, it is asked for what it holds. */
  async #askToWrite(): Promise<void> {
    const asked = this.#rechecks;
    const granted = await this.#host.mayWrite(this.client);
    if (asked !== this.#rechecks) return;
    this.#write = granted ? "granted" : "denied";
    if (!granted || this.#gap !== "refused" || this.#document === undefined) return;
    this.#gap = "asked";
    this.send(this.#document.askFrame());
  }

  #handle(target: Document, frame: Uint8Array): void | Promise<void> {
    const read = decodeClientFrame(frame);
    switch (read.type) {
      case "sync-step-1":
        if (decodeStateVector(read.stateVector) === undefined) this.#refuse("state vector");
        else if (this.#state === "open") this.#sendDownload(target.download(read.stateVector));
        return;
      case "update": {
        // Copied, as it is sent later and nothing is to keep the socket's buffer alive.
        const own = new Uint8Array(frame.subarray(0, endOf(read.update, frame)));
        return this.#takeUpdate(target, read.update, own);
      }
      case "sync-step-2":
        if (this.#gap === "asked") this.#gap = "none";
        return this.#takeUpdate(target, read.update, undefined);
      case "awareness":
        if (this.#state === "gone") return;
        target.takeAwareness(this, read.update, new Uint8Array(frame));
        return;
      case "query-awareness": {
        const presence = target.presenceFrame();
        if (presence !== undefined) this.send(presence);
        return;
      }
      case "malformed":
        this.#refuse("frame");
        return;
      case "auth":
      case "unknown":
    }
  }

  /** Handles one frame; a promise if those behind it must wait. */
  #take(target: Document, frame: Uint8Array): void | Promise<void> {
    try {
      return this.#handle(target, frame)?.catch((error: unknown) => this.#fail(error, frame));
    } catch (error) {
      this.#fail(error, frame);
    }
  }

  /** False if the connection is closed for it. */
  #isInTime(bytes: number): boolean {
    const verdict = this.#pace.take(bytes);
    if (verdict === "in-time") return true;
    this.#host.counters.clientsPaused += 1;
    if (verdict === "paused") return true;
    this.close(CloseCode.tryAgainLater, "too fast: reconnect to sync again");
    return false;
  }

  async #deniesReading(): Promise<boolean> {
    if (await this.#host.mayRead(this.client)) return false;
    this.send(encodePermissionDenied(`no permission to read ${this.client.documentId}`));
    this.close(CloseCode.permissionDenied, "no permission to read");
    return true;
  }

  #fail(error: unknown, frame: Uint8Array): void {
    if (error instanceof MalformedUpdateError) {
      this.#host.updateRefused(this.client.documentId, error);
      // What it holds it would send again each time it comes; a single update is not among that unless it holds it.
      this.#refuse("update", isSyncStep2(frame) ? CloseCode.unreadable : CloseCode.malformed);
    } else if (error instanceof MalformedAwarenessError) {
      this.#refuse("awareness update");
    } else if (error instanceof PresenceTooLargeError) {
      this.#host.counters.clientsRefused += 1;
      this.close(
        CloseCode.tooLarge,
        `presence of ${error.message}: at most ${this.#host.limits.presenceBytes}`,
      );
    } else {
      this.#host.logger.error(
        `[teleportal] a client's frame for ${this.client.documentId} failed (${describeCause(error)}): ` +
          "its connection is closed; others go on",
      );
      this.close(CloseCode.internalError, "internal error");
    }
  }

  async #drain(target: Document): Promise<void> {
    for (;;) {
      const frame = this.#queue.shift();
      if (frame === undefined || !this.#takesFrames()) break;
      this.#queuedBytes -= frame.length + QUEUED_FRAME_OVERHEAD;
      await this.#take(target, frame);
    }
    this.#busy = false;
    if (this.#state === "gone") this.#finish();
  }

  async #begin(): Promise<void> {
    if (await this.#deniesReading()) return;
    if (!this.#takesFrames()) return;
    // Again: others may have come in while the permission was being asked.
    const refusal = this.#host.refusal(this.client.documentId);
    if (refusal !== undefined) {
      this.close(CloseCode.tryAgainLater, refusal);
      return;
    }
    const opened = await this.#host.open(this.client);
    if (!this.#takesFrames()) {
      this.#host.release(this.client.documentId);
      return;
    }
    this.#document = opened;
    if (this.#state === "open") {
      opened.join(this);
      this.send(opened.askFrame());
      const presence = opened.presenceFrame();
      if (presence !== undefined) {
        this.#allowance += presence.length;
        this.send(presence);
      }
    }
    await this.#drain(opened);
  }
}
