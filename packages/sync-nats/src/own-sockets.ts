import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/**
 * The sockets that a piece of work opens, however late. nats.js gives none of them out, and leaves one open when an
 * attempt to connect times out or is closed in the middle (transport-node 3.4, `ProtocolHandler.dial`).
 *
 * Where the runtime does not announce sockets (`net.client.socket`, Node.js only) it is empty, and nats.js is as it is.
 */
export interface OwnSockets {
  /** Callbacks that `work` calls must be bound elsewhere (`AsyncResource.bind`), or their sockets would count too. */
  during<Result>(work: () => Result): Result;
  /** Closes those that are open. */
  destroy(): void;
  /** Closes them, and at once each that is still to come. */
  end(): void;
}

interface Owner {
  add(socket: Socket): void;
}

const owners = new AsyncLocalStorage<Owner>();
let listening = false;

function listen(): void {
  if (listening) return;
  listening = true;
  subscribe("net.client.socket", (message) => {
    owners.getStore()?.add((message as { socket: Socket }).socket);
  });
}

export function createOwnSockets(): OwnSockets {
  const open = new Set<Socket>();
  let ended = false;

  function destroy(): void {
    for (const socket of open) {
      // An error that nobody listens to would end the process.
      socket.on("error", () => {});
      socket.destroy();
    }
    open.clear();
  }

  const owner = {
    add(socket) {
      open.add(socket);
      // Not an event: nats.js removes all listeners of its sockets.
      for (const known of open) if (known.destroyed) open.delete(known);
      if (ended) setImmediate(destroy);
    },
  } satisfies Owner;

  listen();
  return {
    during: (work) => owners.run(owner, work),
    destroy,
    end() {
      ended = true;
      destroy();
    },
  };
}
