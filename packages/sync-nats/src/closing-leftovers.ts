import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

interface Owner {
  add(socket: Socket): void;
}

const owners = new AsyncLocalStorage<Owner>();
let listening = false;
let attempts = 0;

function listen(): void {
  if (listening) return;
  listening = true;
  subscribe("net.client.socket", (message) => {
    owners.getStore()?.add((message as { socket: Socket }).socket);
  });
}

/**
 * One attempt to connect, of which nothing is left when it fails or `signal` is aborted in its middle. nats.js gives its
 * sockets out to nobody, and leaves one open when an attempt times out or is closed (transport-node 3.4,
 * `ProtocolHandler.dial`). Callbacks that `attempt` calls must be bound elsewhere (`AsyncResource.bind`), or their sockets
 * would count too.
 *
 * Where the runtime does not announce sockets (`net.client.socket`, Node.js only) nats.js is as it is.
 */
export async function closingLeftovers<Result>(
  signal: AbortSignal,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const open = new Set<Socket>();
  let underWay = true;

  function destroy(concerns: (socket: Socket) => boolean): void {
    for (const socket of [...open].filter(concerns)) {
      // An error that nobody listens to would end the process.
      socket.on("error", () => {});
      socket.destroy();
      open.delete(socket);
    }
  }

  const destroyAll = (): void => destroy(() => true);

  const owner = {
    add(socket) {
      // What is called later from within the connection is none of the attempt's doing.
      if (!underWay) return;
      open.add(socket);
      if (signal.aborted) setImmediate(destroyAll);
    },
  } satisfies Owner;

  listen();
  attempts += 1;
  signal.addEventListener("abort", destroyAll);
  try {
    const result = await owners.run(owner, attempt);
    // One of a server's addresses may have answered, and another not yet.
    destroy((socket) => socket.connecting);
    return result;
  } catch (cause) {
    destroyAll();
    throw cause;
  } finally {
    underWay = false;
    signal.removeEventListener("abort", destroyAll);
    attempts -= 1;
    // Before Node.js 24 it makes every promise of the process dearer, as long as it is in use.
    if (attempts === 0) owners.disable();
  }
}
