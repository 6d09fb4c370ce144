import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { openLink } from "@teleportal/sync-core/conformance";

let echo: Server;
let target: { host: string; port: number };

beforeAll(async () => {
  echo = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  target = { host: "127.0.0.1", port: (echo.address() as AddressInfo).port };
});

afterAll(() => void echo.close());

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = await new Promise<[Buffer]>((resolve, reject) => {
    socket.once("data", (data) => resolve([data]));
    socket.once("close", () => reject(new Error("closed")));
  });
  return chunk.toString();
}

describe("a link", () => {
  it("carries both ways", async () => {
    await using link = await openLink(target);
    const socket = await dial(link.port);
    expect(await ask(socket, "ping")).toBe("ping");
    expect(link.connections).toBe(1);
    socket.destroy();
  });

  it("that is cut closes its sockets and refuses new ones, until it heals", async () => {
    await using link = await openLink(target);
    const socket = await dial(link.port);
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await link.cut();
    await closed;
    await expect(dial(link.port)).rejects.toThrow("ECONNREFUSED");
    await link.heal();
    const again = await dial(link.port);
    expect(await ask(again, "back")).toBe("back");
    again.destroy();
  });

  it("that is dark swallows bytes and closes nothing; what comes after healing works", async () => {
    await using link = await openLink(target);
    const before = await dial(link.port);
    expect(await ask(before, "light")).toBe("light");
    await link.darken();
    const during = await dial(link.port);
    let heard = "";
    for (const socket of [before, during]) {
      socket.on("data", (bytes) => (heard += bytes.toString()));
      socket.write("anybody?");
    }
    await link.heal();
    const after = await dial(link.port);
    // The fence: it goes the whole way after the others' bytes.
    expect(await ask(after, "fence")).toBe("fence");
    expect(heard).toBe("");
    expect([before.destroyed, during.destroyed]).toEqual([false, false]);
    for (const socket of [before, during, after]) socket.destroy();
  });
});
