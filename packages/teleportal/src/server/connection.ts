import {
  decodeClientFrame,
  decodeStateVector,
  describeCause,
  encodePermissionDenied,
} from "@teleportal/sync-core";
import type { Logger } from "@teleportal/sync-core";
import { MalformedUpdateError } from "../document/decoded-update.ts";
import type { Document } from "../document/document.ts";
import type { Counters } from "../operations/counters.ts";
import { MalformedAwarenessError, PresenceTooLargeError } from "../document/presence.ts";
import type { ClientConnection, ClientSocket } from "./client-socket.ts";
import { CloseCode } from "./close-code.ts";
import type { ServerLimits } from "./limits.ts";
import { Pace } from "./pace.ts";

/** An awareness frame that names nobody: changes nothing, and tells a y-websocket client that the link is alive. */
const KEEPALIVE_FRAME = new Uint8Array([1, 1, 0]);

/** What a waiting frame costs beside its bytes, so that many tiny ones count as the memory they take. */
const QUEUED_FRAME_OVERHEAD = 256;

/** A connection as the server holds it. */
export interface ServerConnection extends ClientConnection {
  /** Neither the client nor the server has ended it. */
  isOpen(): boolean;
  send(frame: Uint8Array): void;
  /** Gives the client a sign that the connection is alive, and looks for one of it. */
  keepAlive(): void;
  close(code: CloseCode, reason: string): void;
  /** Asks again what the client may; resolves with whether it may still read, and is closed if not. */
  recheck(): Promise<boolean>;
}

export interface ConnectionSettings {
  readonly documentId: string;
  readonly limits: Required<ServerLimits>;
  readonly logger: Logger;
  readonly counters: Counters;
  mayRead(): Promise<boolean>;
  mayWrite(): Promise<boolean>;
  /** Why the document takes no further connection now, if so. */
  refusal(): string | undefined;
  /** Opens the document for this connection; `release` is called once for each that resolved. */
  open(): Promise<Document>;
  release(document: Document): void;
  ended(connection: ServerConnection): void;
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
export function createConnection(
  socket: ClientSocket,
  settings: ConnectionSettings,
): ServerConnection {
  const { documentId, limits, logger, counters } = settings;
  let document: Document | undefined;
  let write: WritePermission = "unknown";
  /** How often permissions have been taken back: an answer to an earlier question does not count. */
  let rechecks = 0;
  let queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let busy = true;
  let state: ConnectionState = "open";
  /** What may be buffered now: the limit, and what the client's own download of the document takes. */
  let allowance = limits.bufferedBytes;
  /** That download is not through yet. */
  let downloading = false;
  const pace = new Pace(socket, limits);

  function takesFrames(): boolean {
    return state === "open" || state === "gone";
  }

  /** Gives the document back. */
  function finish(): void {
    state = "closed";
    queue = [];
    if (document !== undefined) settings.release(document);
    document = undefined;
  }

  function close(code: CloseCode, reason: string): void {
    if (state === "gone") queue = [];
    if (state !== "open") return;
    state = "closing";
    queue = [];
    document?.leave(connection);
    pace.end();
    socket.close(code, reason);
  }

  function buffered(): number {
    const bytes = socket.bufferedAmount;
    if (bytes === 0) {
      allowance = limits.bufferedBytes;
      downloading = false;
    }
    return bytes;
  }

  function send(frame: Uint8Array): void {
    if (state !== "open") return;
    const bytes = buffered();
    if (bytes + frame.length > allowance && bytes > 0) {
      counters.clientsTooSlow += 1;
      close(CloseCode.tryAgainLater, "too slow: reconnect to sync again");
      return;
    }
    transmit(frame);
  }

  function count(frame: Uint8Array): void {
    counters.clientMessagesOut += 1;
    counters.clientBytesOut += frame.length;
  }

  function transmit(frame: Uint8Array): void {
    count(frame);
    socket.send(frame);
  }

  /** Sends the document, however large; it is not held against the client that has asked for it. */
  function sendDownload(frames: readonly Uint8Array[]): void {
    let size = 0;
    for (const frame of frames) size += frame.length;
    const bytes = buffered();
    // Asked again before the last answer is through: that, and what follows it, brings the client here as well.
    if (downloading && bytes + size > allowance) return;
    downloading = true;
    allowance += size;
    for (const frame of frames) transmit(frame);
  }

  function refuse(what: string): void {
    counters.clientsRefused += 1;
    send(encodePermissionDenied(`malformed ${what}: refused, and nobody else has seen it`));
    close(CloseCode.malformed, `malformed ${what}`);
  }

  function applyUpdate(
    target: Document,
    update: Uint8Array,
    frame: Uint8Array | undefined,
  ): void | Promise<void> {
    if (write === "granted") {
      target.acceptUpdate(connection, update, frame);
      return;
    }
    // What a read-only client sends back in the handshake holds nothing new, and is no attempt to write.
    if (target.isKnown(update)) return;
    if (write === "denied") {
      send(encodePermissionDenied(`no permission to write ${documentId}`));
      return;
    }
    const asked = rechecks;
    // The socket's buffer may be used again by then.
    const kept = new Uint8Array(update);
    return settings.mayWrite().then((granted) => {
      if (asked === rechecks) write = granted ? "granted" : "denied";
      if (takesFrames()) return applyUpdate(target, kept, frame);
    });
  }

  function handle(target: Document, frame: Uint8Array): void | Promise<void> {
    const read = decodeClientFrame(frame);
    switch (read.type) {
      case "sync-step-1":
        if (decodeStateVector(read.stateVector) === undefined) refuse("state vector");
        else if (state === "open") sendDownload(target.syncFrames(read.stateVector));
        return;
      case "update": {
        // Copied, as it is sent later and nothing is to keep the socket's buffer alive.
        const own = new Uint8Array(frame.subarray(0, endOf(read.update, frame)));
        return applyUpdate(target, read.update, own);
      }
      case "sync-step-2":
        return applyUpdate(target, read.update, undefined);
      case "awareness":
        if (state === "gone") return;
        target.acceptAwareness(connection, read.update, new Uint8Array(frame));
        return;
      case "query-awareness": {
        const presence = target.presenceFrame();
        if (presence !== undefined) send(presence);
        return;
      }
      case "malformed":
        refuse("frame");
        return;
      case "auth":
      case "unknown":
    }
  }

  /** Handles one frame; a promise if those behind it must wait. */
  function take(target: Document, frame: Uint8Array): void | Promise<void> {
    try {
      return handle(target, frame)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** False if the connection is closed for it. */
  function isInTime(bytes: number): boolean {
    const verdict = pace.take(bytes);
    if (verdict === "in-time") return true;
    counters.clientsPaused += 1;
    if (verdict === "paused") return true;
    close(CloseCode.tryAgainLater, "too fast: reconnect to sync again");
    return false;
  }

  async function deniesReading(): Promise<boolean> {
    if (await settings.mayRead()) return false;
    send(encodePermissionDenied(`no permission to read ${documentId}`));
    close(CloseCode.permissionDenied, "no permission to read");
    return true;
  }

  function fail(error: unknown): void {
    if (error instanceof MalformedUpdateError) {
      refuse("update");
    } else if (error instanceof MalformedAwarenessError) {
      refuse("awareness update");
    } else if (error instanceof PresenceTooLargeError) {
      counters.clientsRefused += 1;
      close(CloseCode.tooLarge, `presence of ${error.message}: at most ${limits.presenceBytes}`);
    } else {
      logger.error(
        `[teleportal] a client's frame for ${documentId} failed (${describeCause(error)}): ` +
          "its connection is closed; others go on",
      );
      close(CloseCode.internalError, "internal error");
    }
  }

  async function drain(target: Document): Promise<void> {
    for (;;) {
      const frame = queue.shift();
      if (frame === undefined || !takesFrames()) break;
      queuedBytes -= frame.length + QUEUED_FRAME_OVERHEAD;
      await take(target, frame);
    }
    busy = false;
    if (state === "gone") finish();
  }

  async function begin(): Promise<void> {
    if (await deniesReading()) return;
    if (!takesFrames()) return;
    // Again: others may have come in while the permission was being asked.
    const refusal = settings.refusal();
    if (refusal !== undefined) {
      close(CloseCode.tryAgainLater, refusal);
      return;
    }
    const opened = await settings.open();
    if (!takesFrames()) {
      settings.release(opened);
      return;
    }
    document = opened;
    if (state === "open") {
      opened.join(connection);
      send(opened.askFrame());
      const presence = opened.presenceFrame();
      if (presence !== undefined) {
        allowance += presence.length;
        send(presence);
      }
    }
    await drain(opened);
  }

  const connection: ServerConnection = {
    isOpen: () => state === "open",
    send,
    close,
    async recheck() {
      rechecks += 1;
      write = "unknown";
      return !(await deniesReading());
    },
    keepAlive() {
      if (state !== "open") return;
      count(KEEPALIVE_FRAME);
      if (socket.keepAlive === undefined) socket.send(KEEPALIVE_FRAME);
      else socket.keepAlive(KEEPALIVE_FRAME);
    },
    receive(frame) {
      if (state !== "open") return;
      counters.clientMessagesIn += 1;
      counters.clientBytesIn += frame.length;
      if (frame.length > limits.frameBytes) {
        counters.clientsRefused += 1;
        close(CloseCode.tooLarge, `a frame of ${frame.length} bytes: at most ${limits.frameBytes}`);
        return;
      }
      if (!isInTime(frame.length)) return;
      if (busy || document === undefined) {
        queuedBytes += frame.length + QUEUED_FRAME_OVERHEAD;
        if (queuedBytes > Math.max(limits.bufferedBytes, limits.frameBytes)) {
          close(CloseCode.tryAgainLater, "too much sent before the document was open");
          return;
        }
        queue.push(new Uint8Array(frame));
        return;
      }
      const waiting = take(document, frame);
      if (waiting === undefined) return;
      busy = true;
      const target = document;
      void waiting.then(() => drain(target));
    },
    closed() {
      if (state === "closed" || state === "gone") return;
      if (state === "open") document?.leave(connection);
      pace.end();
      settings.ended(connection);
      const typing = state === "open" && busy && (queue.length > 0 || document !== undefined);
      if (typing) state = "gone";
      else finish();
    },
  };

  begin().catch((error: unknown) => {
    if (!takesFrames()) return;
    logger.error(
      `[teleportal] opening ${documentId} for a client failed (${describeCause(error)}): ` +
        "its connection is closed, and it may try again",
    );
    close(CloseCode.internalError, "the document cannot be opened");
  });
  return connection;
}
