import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { docs, setupWSConnection } from "@y/websocket-server/utils";
import { onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import type { Service } from "./service.ts";

/** The server that y-websocket comes with: what an editor does there it does by itself. Keeps documents in memory. */
export async function startPlainServer(): Promise<Service> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket, request) => setupWSConnection(socket, request));
  await new Promise<void>((resolve) => {
    http.listen(0, "127.0.0.1", resolve);
  });
  const { port } = http.address() as AddressInfo;

  async function stop(): Promise<void> {
    for (const socket of sockets.clients) socket.terminate();
    // All servers of the process share its documents.
    docs.clear();
    http.closeAllConnections();
    await new Promise<void>((resolve) => {
      http.close(() => resolve());
    });
  }
  onTestFinished(stop);
  return { url: `ws://127.0.0.1:${port}`, stop };
}
