import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

/** With which status an upgrade is answered that a page of `origin` asks for, or a client that is no browser. */
export function answerToUpgrade(url: string, origin?: string): Promise<number> {
  const socket = new WebSocket(url, origin === undefined ? {} : { origin });
  onTestFinished(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(101));
    socket.once("unexpected-response", (_request, { statusCode = 0 }) => resolve(statusCode));
    socket.once("error", reject);
  });
}
