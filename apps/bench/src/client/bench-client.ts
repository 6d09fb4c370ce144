import { once } from "node:events";
import { WebSocket } from "ws";
import type { ClientProtocol } from "./client-protocol.ts";

/** A client with as little to do as possible, so that the servers are measured and not the clients. */
export interface BenchClient {
  /** Resolves when the server has answered with what it holds. */
  readonly synced: Promise<void>;
  /** What has arrived, in order. */
  readonly updates: readonly Uint8Array[];
  /** How many bytes the server has sent. */
  readonly receivedBytes: number;
  send(update: Uint8Array): void;
  /** From now on a frame is only given its time when it arrives, and read at the next `drain`. */
  hold(): void;
  drain(): void;
  close(): Promise<void>;
}

export interface BenchClientOptions {
  /** Called for each update, the server's first answer included; `at` is when it arrived (performance.now). */
  readonly onUpdate?: (update: Uint8Array, at: number) => void;
  /** Holds frames from the first one on. */
  readonly held?: boolean;
}

interface Held {
  readonly data: Buffer;
  readonly at: number;
}

export async function connectClient(
  base: string,
  protocol: ClientProtocol,
  document: string,
  options: BenchClientOptions = {},
): Promise<BenchClient> {
  const socket = new WebSocket(protocol.url(base, document), { perMessageDeflate: false });
  const updates: Uint8Array[] = [];
  let held: Held[] | undefined = options.held ? [] : undefined;
  let receivedBytes = 0;
  let resolveSynced: () => void;
  let rejectSynced: (error: Error) => void;
  const synced = new Promise<void>((resolve, reject) => {
    resolveSynced = resolve;
    rejectSynced = reject;
  });
  synced.catch(() => {});

  function take(update: Uint8Array, at: number): void {
    if (update.length <= 2) return;
    // Copied: a view would keep the socket's whole buffer alive, and Yjs reads on into it.
    const own = new Uint8Array(update);
    updates.push(own);
    options.onUpdate?.(own, at);
  }

  function read({ data, at }: Held): void {
    const frame = protocol.read(data);
    if (frame.type === "update") take(frame.update, at);
    else if (frame.type === "asks") socket.send(protocol.nothing(document));
    else if (frame.type === "synced") {
      take(frame.update, at);
      resolveSynced();
    }
  }

  socket.on("message", (data: Buffer) => {
    const frame = { data, at: performance.now() };
    receivedBytes += data.length;
    if (held === undefined) read(frame);
    else held.push(frame);
  });
  socket.on("close", (code) => {
    rejectSynced(new Error(`[bench] ${base} has closed a client's connection (${code})`));
  });
  await once(socket, "open");
  for (const frame of protocol.hello(document)) socket.send(frame);

  return {
    synced,
    updates,
    get receivedBytes() {
      return receivedBytes;
    },
    send: (update) => socket.send(protocol.update(document, update)),
    hold() {
      held ??= [];
    },
    drain() {
      for (const frame of held?.splice(0) ?? []) read(frame);
    },
    async close() {
      held = undefined;
      if (socket.readyState === socket.CLOSED) return;
      socket.terminate();
      await once(socket, "close");
    },
  };
}
