import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

/** How often a portion is passed on, in milliseconds. */
const PORTION_MS = 50;

/** A link in front of a server that carries so many bytes a second to each client, and anything in the other direction. */
export async function openSlowLink(url: string, bytesPerSecond: number): Promise<string> {
  const { hostname, port } = new URL(url);
  const portion = Math.ceil((bytesPerSecond * PORTION_MS) / 1000);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    // Read only when the portion before is written, so that the server notices how slow it is.
    server.pause();
    const timer = setInterval(() => {
      const chunk = (server.read(Math.min(portion, server.readableLength)) ??
        server.read()) as Buffer | null;
      if (chunk !== null) client.write(chunk);
    }, PORTION_MS);
    client.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      proxy.close(() => resolve());
    });
  });
  return `ws://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
