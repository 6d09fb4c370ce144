import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import { describeCause } from "@teleportal/sync-core";
import { WebSocket, WebSocketServer } from "ws";
import type { RawData } from "ws";
import type { ClientSocket } from "../server/client-socket.ts";
import { CloseCode } from "../server/close-code.ts";
import type { Server } from "../server/server.ts";
import { binaryFrame } from "./binary-frame.ts";
import { corkForTask } from "./cork.ts";
import { documentIdOf } from "./document-path.ts";
import { parseOrigin } from "./origin.ts";

export interface AttachOptions<Context> {
  /**
   * What `getStorage` and `checkPermission` are told of a client, made from its upgrade request. A rejection refuses
   * the client with 401.
   * @default undefined
   */
  readonly context?: (request: IncomingMessage) => Context | Promise<Context>;
  /**
   * Only upgrades below this path are taken, and the rest of the path names the document. Others are left to the
   * http server's other listeners.
   * @default "/"
   */
  readonly path?: string;
  /**
   * The origins, such as `https://app.example`, whose pages may connect; others are refused with 403. Browsers send cookies
   * along from any page: needed where a cookie is what `context` looks at. Clients that are no browsers send no origin and
   * are not held back.
   * @default every origin
   */
  readonly allowedOrigins?: readonly string[];
}

/** The code of `ws` for a message above `maxPayload`. */
const TOO_LONG = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";

/** What `ws` itself closes for its size would come again at once, and for ever: y-websocket takes 1009 for a passing trouble. */
class DocumentSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    const bySocket = code === CloseCode.tooLarge && reason === undefined;
    super.close(bySocket ? CloseCode.documentTooLarge : code, reason);
  }
}

/** How long a client may take to answer a closing handshake at the end, in milliseconds. */
const CLOSE_TIMEOUT = 1000;

/**
 * Lets `server` take the WebSocket upgrades of an existing http(s) server.
 *
 * Returns what ends that: its sockets are closed, the http server stays open.
 *
 * @throws SyncError for an allowed origin that is none
 */
export function attach<Context>(
  server: Server<Context>,
  http: HttpServer,
  options: AttachOptions<Context> = {},
): { close(): Promise<void> } {
  const base = options.path ?? "/";
  const allowedOrigins = options.allowedOrigins?.map(parseOrigin);
  // Somewhat more than is taken, so that the connection can say why it is closed.
  const maxPayload = server.limits.documentBytes + server.limits.frameBytes;
  const sockets = new WebSocketServer({
    noServer: true,
    // Keystrokes are too small to gain by it, and each connection would hold its own window.
    perMessageDeflate: false,
    maxPayload,
    WebSocket: DocumentSocket,
  });
  /** Upgrades whose context is being made. */
  const waiting = new Set<Duplex>();

  async function accept(
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    documentId: string,
  ): Promise<void> {
    let context: Context;
    waiting.add(stream);
    try {
      // Without the option, Context is what its absence gives: undefined.
      context = (await options.context?.(request)) as Context;
    } catch (cause) {
      refuse(stream, "401 Unauthorized", describeCause(cause));
      return;
    } finally {
      waiting.delete(stream);
    }
    if (stream.destroyed || stream.writableEnded) return;
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const client = new NodeClientSocket(socket, stream);
      const connection = server.connect(client, { documentId, context });
      socket.on("pong", () => client.heard());
      socket.on("message", (data: RawData, isBinary) => {
        client.heard();
        if (isBinary) connection.receive(data as Buffer);
        else {
          socket.close(CloseCode.malformed, "text: the y-websocket protocol is binary");
          // Whatever it sends behind that is not taken any more.
          connection.closed();
        }
      });
      socket.on("close", () => connection.closed());
      // `close` follows, and tells the server; a client that breaks off is no news.
      socket.on("error", (error) => {
        if ("code" in error && error.code === TOO_LONG) connection.oversized(maxPayload);
      });
    });
  }

  function mayComeFrom(origin: string | undefined): boolean {
    return allowedOrigins === undefined || origin === undefined || allowedOrigins.includes(origin);
  }

  function onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const path = documentIdOf(request.url ?? "/", base);
    // Nobody else would answer it, and it would hang.
    const abandoned = path.type === "elsewhere" && http.listenerCount("upgrade") === 1;
    if (path.type === "elsewhere" && !abandoned) return;
    // Node has taken its own listener away: without one, a client that breaks off now would end the process.
    stream.on("error", () => {});
    if (path.type === "elsewhere") refuse(stream, "404 Not Found", "no document is served here");
    else if (path.type === "invalid") refuse(stream, "400 Bad Request", path.reason);
    else if (!mayComeFrom(request.headers.origin)) {
      refuse(stream, "403 Forbidden", "this origin may not connect");
    } else void accept(request, stream, head, path.documentId);
  }

  http.on("upgrade", onUpgrade);

  return {
    async close() {
      http.off("upgrade", onUpgrade);
      for (const stream of waiting)
        refuse(stream, "503 Service Unavailable", "the server is closing");
      await Promise.all([...sockets.clients].map(closeSocket));
    },
  };
}

/** So much is not held back any longer for what may follow it, in bytes. */
const CORKED_BYTES = 64 * 1024;

/** After how many signs in a row that it did not answer to a client is asked for one: most do say something by themselves. */
const ASKED_AFTER = 2;

/** RFC 6455, section 5.5.2: a ping without a payload, as a server sends it. */
const EMPTY_PING = Buffer.from([0x89, 0]);

/**
 * Writes a message's frame to the TCP socket itself, which `ws` allows between its own frames as each of them is written
 * at once: one for all clients, and one piece instead of two, so that an edit with hundreds of readers costs half.
 */
class NodeClientSocket implements ClientSocket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  /** Signs given since anything was received. */
  #unanswered = 0;

  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  send(message: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    corkForTask(this.#stream);
    for (const piece of binaryFrame(message)) this.#stream.write(piece);
    if (this.#stream.writableLength > CORKED_BYTES) this.#stream.uncork();
  }

  heard(): void {
    this.#unanswered = 0;
  }

  keepAlive(message: Uint8Array): void {
    // What is not being read gives no sign.
    if (this.#socket.isPaused) this.#unanswered = 0;
    if (this.#unanswered > ASKED_AFTER) {
      this.#socket.terminate();
    } else if (this.#socket.readyState === this.#socket.OPEN) {
      const frame = binaryFrame(message);
      const asks = this.#unanswered === ASKED_AFTER;
      this.#unanswered += 1;
      const pieces = asks ? [EMPTY_PING, ...frame] : frame;
      this.#stream.write(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    }
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get bufferedAmount(): number {
    return this.#stream.writableLength;
  }
}

function closeSocket(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.close(CloseCode.goingAway, "the server is closing");
    if (socket.readyState === socket.CLOSED) {
      clearTimeout(timer);
      resolve();
    }
  });
}

function refuse(stream: Duplex, status: string, reason: string): void {
  if (stream.destroyed || stream.writableEnded) return;
  stream.once("finish", () => stream.destroy());
  stream.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain\r\n` +
      `content-length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
  );
}
