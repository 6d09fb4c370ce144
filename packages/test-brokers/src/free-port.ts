import { createSocket } from "node:dgram";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below what systems hand out for outgoing connections, so that none of those takes a port while its server is down. */
const FIRST = 10_000;
const LAST = 20_000;
const ATTEMPTS = 100;

/**
 * A TCP port of 127.0.0.1 that is free, and that no other call is given, in any process, while this process runs: a server may go down
 * and come up again on it.
 */
export async function freePort(): Promise<number> {
  let failure: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST, LAST);
    try {
      await probe(port);
      await claim(port);
      return port;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function probe(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.close(() => resolve());
    });
  });
}

/** Takes the UDP port of that number until the process ends: it keeps no TCP server away, and the system lets one have it only. */
function claim(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", reject);
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => {
      socket.unref();
      resolve();
    });
  });
}
