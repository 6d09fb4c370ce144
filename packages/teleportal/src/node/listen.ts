import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "../server/server.ts";
import { createOperations } from "./operations.ts";
import type { OperationsOptions } from "./operations.ts";
import { openPort } from "./open-port.ts";
import { attach } from "./attach.ts";
import type { AttachOptions } from "./attach.ts";

export interface ListenOptions<Context> extends AttachOptions<Context> {
  /** 0 for any free one. */
  readonly port: number;
  /** @default "127.0.0.1": nobody else's machine reaches it unless asked for */
  readonly host?: string;
  /** What else an operator may ask for on this port than `/healthz` and `/readyz`. */
  readonly operations?: OperationsOptions;
}

/** A listening server. */
export interface Listener {
  readonly port: number;
  /** What a client connects to, such as `ws://127.0.0.1:1234`; a document's path is appended. */
  readonly url: string;
  /** Stops accepting, and ends what is connected. Idempotent; the `Server` itself stays open. */
  close(): Promise<void>;
}

/**
 * Serves `server` on a port of its own, and answers `/healthz` and `/readyz` there; see `createOperations`.
 *
 * @throws SyncError if the port cannot be had, or an allowed origin is none.
 */
export async function listen<Context>(
  server: Server<Context>,
  options: ListenOptions<Context>,
): Promise<Listener> {
  const { port, host = "127.0.0.1" } = options;
  const http = createServer();
  const attached = attach(server, http, options);
  const operations = createOperations(server, options.operations);
  http.on("request", (request, response) => {
    if (operations.handle(request, response)) return;
    response.writeHead(426, { "content-type": "text/plain" });
    response.end("This is a WebSocket server: connect with a y-websocket client.\n");
  });
  try {
    await openPort(http, port, host);
  } catch (error) {
    operations.close();
    await attached.close();
    throw error;
  }
  const actualPort = (http.address() as AddressInfo).port;
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      http.close(() => resolve());
    });
    operations.close();
    await attached.close();
    http.closeAllConnections();
    await closed;
  }

  return {
    port: actualPort,
    url: `ws://${host.includes(":") ? `[${host}]` : host}:${actualPort}`,
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}
