import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { closingLeftovers } from "../src/closing-leftovers.ts";

let server: Server;
const never = new AbortController().signal;

beforeAll(async () => {
  server = createServer((socket) => socket.on("error", () => {}));
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => void server.close());

function open(): Socket {
  return connect((server.address() as AddressInfo).port, "127.0.0.1");
}

it("leaves what has connected to whom it belongs, and closes what another address has not answered yet", async () => {
  const { connected, waiting } = await closingLeftovers(never, async () => {
    const first = open();
    await once(first, "connect");
    return { connected: first, waiting: open() };
  });
  expect([connected.destroyed, waiting.destroyed]).toEqual([false, true]);
  connected.destroy();
});

it("closes all that an attempt has left when it fails", async () => {
  const sockets: Socket[] = [];
  const failure = new Error("it says nothing");
  const attempt = closingLeftovers(never, async () => {
    sockets.push(open());
    await once(sockets[0] as Socket, "connect");
    sockets.push(open());
    throw failure;
  });
  await expect(attempt).rejects.toBe(failure);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
});

it("closes what there is when it is called off, and what comes later", async () => {
  const calledOff = new AbortController();
  let late: Socket | undefined;
  await closingLeftovers(calledOff.signal, async () => {
    const early = open();
    await once(early, "connect");
    calledOff.abort();
    expect(early.destroyed).toBe(true);
    late = open();
    await once(late, "close");
  });
  expect(late?.destroyed).toBe(true);
});

it("has no part in what is opened outside of it", async () => {
  let finish = (): void => {};
  const attempt = closingLeftovers(never, async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    throw new Error("failed");
  });
  const other = open();
  finish();
  await expect(attempt).rejects.toThrow("failed");
  expect(other.destroyed).toBe(false);
  other.destroy();
});
