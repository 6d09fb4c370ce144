/**
 * The least that can keep instances in step: every update of a client goes to the document's other clients here, and
 * to the other instances by one broker message. It reads what a frame is, and keeps nothing, checks nothing and repairs
 * nothing: who comes late has missed what was typed. What this costs is what sockets and broker cost.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import * as decoding from "lib0/decoding";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { answerBench } from "./instance-control.ts";
import { openRawBus } from "./raw-bus.ts";

const NOTHING = Uint8Array.of(0, 1, 2, 0, 0);

const rooms = new Map<string, Set<WebSocket>>();
const bus = await openRawBus(process.env["BENCH_BROKER"] ?? "", (room, frame) => {
  for (const client of rooms.get(room) ?? []) client.send(frame);
});

const http = createServer();
new WebSocketServer({ server: http, perMessageDeflate: false }).on(
  "connection",
  (socket, request) => {
    const room = request.url ?? "/";
    const clients = rooms.get(room) ?? new Set();
    if (clients.size === 0) {
      rooms.set(room, clients);
      bus.subscribe(room);
    }
    clients.add(socket);
    socket.on("message", (frame: Buffer) => {
      const decoder = decoding.createDecoder(frame);
      if (decoding.readVarUint(decoder) !== 0) return;
      const step = decoding.readVarUint(decoder);
      if (step === 0) {
        socket.send(NOTHING);
      } else if (step === 2) {
        decoding.readVarUint8Array(decoder);
        for (const client of clients) if (client !== socket) client.send(frame);
        bus.publish(room, frame);
      }
    });
    socket.on("close", () => {
      clients.delete(socket);
      if (clients.size > 0) return;
      rooms.delete(room);
      bus.unsubscribe(room);
    });
  },
);

http.listen(0, "127.0.0.1", () => {
  const { port } = http.address() as AddressInfo;
  answerBench({ url: `ws://127.0.0.1:${port}`, close: async () => {} });
});
