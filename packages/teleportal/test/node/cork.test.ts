import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { corkForTask } from "../../src/node/cork.ts";

it("what is sent in one task goes out in order, the first at once and the rest as one write", async () => {
  const writes: string[][] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      writes.push([String(chunk)]);
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  for (const text of ["a", "b", "c"]) {
    corkForTask(stream);
    stream.write(text);
  }
  expect(writes).toEqual([["a"]]);
  await Promise.resolve();
  expect(writes).toEqual([["a"], ["b", "c"]]);
  corkForTask(stream);
  stream.write("d");
  expect(writes).toEqual([["a"], ["b", "c"], ["d"]]);
});

it("does nothing to a socket that is gone by then", async () => {
  const server = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket: Socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  for (const text of ["a", "b"]) {
    corkForTask(socket);
    socket.write(text);
  }
  socket.destroy();
  await once(socket, "close");
  server.close();
  await once(server, "close");
});
