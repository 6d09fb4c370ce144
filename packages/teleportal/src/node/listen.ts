import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SyncError } from "@teleportal/sync-core";
import type { Server } from "../server/server.ts";
import { attach } from "./attach.ts";
import type { AttachOptions } from "./attach.ts";

export interface ListenOptions<Context> extends AttachOptions<Context> {
  /** 0 for any free one. */
  readonly port: number;
  /** @default "127.0.0.1": nobody else's machine reaches it unless asked for */
  readonly host?: string;
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
 * Serves `server` on a port of its own.
 *
 * @throws SyncError if the port cannot be had.
 */
export async function listen<Context>(
  server: Server<Context>,
  options: ListenOptions<Context>,
): Promise<Listener> {
  const { port, host = "127.0.0.1" } = options;
  const http = createServer((_request, response) => {
    response.writeHead(426, { "content-type": "text/plain" });
    response.end("This is a WebSocket server: connect with a y-websocket client.\n");
  });
  await open(http, port, host);
  const attached = attach(server, http, options);
  const actualPort = (http.address() as AddressInfo).port;
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      http.close(() => resolve());
    });
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

function open(http: HttpServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once("error", (cause: NodeJS.ErrnoException) => {
      const remedy =
        cause.code === "EADDRINUSE"
          ? "stop what uses it, or choose another port"
          : "choose an address of this machine and a port it may use";
      reject(new SyncError("teleportal", `cannot listen on ${host}:${port}`, remedy, cause));
    });
    http.listen(port, host, () => resolve());
  });
}
