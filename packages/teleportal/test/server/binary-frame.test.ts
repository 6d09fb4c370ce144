import { once } from "node:events";
import type { Duplex } from "node:stream";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { binaryFrame } from "../../src/node/binary-frame.ts";

describe("a binary frame", () => {
  it("is one message to a WebSocket client, whatever its length, between those of ws itself", async () => {
    const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000];
    const http = createServer();
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    http.on("upgrade", (request, stream: Duplex, head) => {
      sockets.handleUpgrade(request, stream, head, (socket) => {
        for (const length of lengths) {
          for (const piece of binaryFrame(new Uint8Array(length).fill(length % 251))) {
            stream.write(piece);
          }
          socket.ping();
          socket.send(`after ${length}`);
        }
        socket.close(1000);
      });
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    const received: (string | readonly [length: number, same: boolean])[] = [];
    client.on("message", (data: Buffer, isBinary) => {
      if (!isBinary) received.push(data.toString());
      else received.push([data.length, data.every((byte, _i, all) => byte === all.length % 251)]);
    });
    await once(client, "close");
    http.close();
    expect(received).toEqual(lengths.flatMap((length) => [[length, true], `after ${length}`]));
  });

  it("is made once for what is sent to many", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
        const frame = binaryFrame(payload);
        expect(frame.length).toBe(1);
        expect(binaryFrame(payload)).toBe(frame);
        const [piece = payload] = frame;
        expect([...piece.subarray(-payload.length || piece.length)]).toEqual([...payload]);
        expect(binaryFrame(payload.slice())).toEqual(frame);
      }),
    );
  });

  it("shares the bytes of what is large with its payload", () => {
    const payload = new Uint8Array(100_000);
    expect(binaryFrame(payload).at(-1)).toBe(payload);
  });
});
