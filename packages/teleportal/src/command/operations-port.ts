import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createOperations } from "../node/operations.ts";
import type { Operated } from "../node/operations.ts";
import { openPort } from "../node/open-port.ts";

/**
 * Serves `/healthz`, `/readyz`, `/metrics` and `/inspect` on a port of their own, which need not be open to clients.
 *
 * @throws SyncError if the port cannot be had.
 */
export async function listenForOperations(
  server: Operated,
  port: number,
  host: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const operations = createOperations(server, { metrics: true, inspect: true });
  const http = createServer((request, response) => {
    if (operations.handle(request, response)) return;
    response.writeHead(404, { "content-type": "text/plain" });
    response.end("There are /healthz, /readyz, /metrics and /inspect.\n");
  });
  try {
    await openPort(http, port, host);
  } catch (error) {
    operations.close();
    throw error;
  }
  const actualPort = (http.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actualPort}`,
    async close() {
      operations.close();
      const closed = new Promise<void>((resolve) => {
        http.close(() => resolve());
      });
      http.closeAllConnections();
      await closed;
    },
  };
}
