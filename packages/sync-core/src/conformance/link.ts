import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/**
 * A TCP link in front of a broker, to be broken.
 *
 * - `cut`: every socket is closed, and new ones are refused.
 * - `darken`: bytes vanish in both directions and nothing closes, as when a firewall has forgotten the connection.
 *   New connections are accepted and hear nothing.
 * - `heal`: new connections work. Those that were dark stay dark: their bytes are lost, and a stream with a hole in
 *   it would be worse than what any network does.
 */
export interface Link extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** How many connections are open at the client's side. */
  readonly connections: number;
  cut(): Promise<void>;
  darken(): Promise<void>;
  heal(): Promise<void>;
  /** Ends it. Idempotent. */
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly broker: Socket | undefined;
  dark: boolean;
}

export async function openLink(target: { host: string; port: number }): Promise<Link> {
  const pairs = new Set<Pair>();
  /** Clients that have said goodbye to a dark link. */
  const unanswered = new Set<Socket>();
  let dark = false;
  // A dark link answers nothing, not even a goodbye; so nothing is answered by itself.
  const options = { allowHalfOpen: true };
  let server = createServer(options, accept);
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;

  function accept(client: Socket): void {
    const broker = dark ? undefined : connect({ ...target, allowHalfOpen: true });
    const pair: Pair = { client, broker, dark };
    pairs.add(pair);
    // The link is the suite's: it must not count among what a closed adapter has left open.
    client.unref();
    broker?.unref();
    carry(client, broker, pair);
    if (broker !== undefined) carry(broker, client, pair);
    client.on("error", () => {});
    broker?.on("error", () => {});
    client.on("end", () => {
      if (!pair.dark) return;
      // Its goodbye is not answered. The broker would hear nothing of it; but its socket must not outlive the test.
      pairs.delete(pair);
      unanswered.add(client);
      broker?.destroy();
    });
    client.on("close", () => {
      pairs.delete(pair);
      unanswered.delete(client);
      broker?.destroy();
    });
    broker?.on("close", () => {
      if (!pair.dark) client.destroy();
    });
  }

  async function cut(): Promise<void> {
    const closed = server.listening
      ? new Promise<void>((resolve) => server.close(() => resolve()))
      : Promise.resolve();
    for (const { client, broker } of pairs) {
      client.resetAndDestroy();
      broker?.destroy();
    }
    for (const client of unanswered) client.resetAndDestroy();
    await closed;
  }

  return {
    host: "127.0.0.1",
    port,
    get connections() {
      return pairs.size;
    },
    cut,
    async darken() {
      dark = true;
      for (const pair of pairs) pair.dark = true;
    },
    async heal() {
      dark = false;
      if (server.listening) return;
      server = createServer(options, accept);
      await listen(server, port);
    },
    close: cut,
    [Symbol.asyncDispose]: cut,
  };
}

/** One way of a pair. A receiver that does not keep up holds the sender back, as TCP would. */
function carry(from: Socket, to: Socket | undefined, pair: Pair): void {
  from.on("data", (bytes) => {
    if (pair.dark || to === undefined || to.write(bytes)) return;
    from.pause();
    to.once("drain", () => from.resume());
  });
  from.on("end", () => {
    if (!pair.dark) to?.end();
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.unref();
      resolve();
    });
  });
}
