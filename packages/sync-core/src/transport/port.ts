import type { Message, PeerMessage } from "../contract/message.ts";
import type { TransportStreams } from "../contract/transport.ts";

/** One `createTransport`: the two streams, and what the channel needs to know of their owner. */
export interface Port<Context> {
  readonly transport: TransportStreams<Context>;
  /** The senders that write through this port: what they said is not delivered to it. */
  readonly senders: ReadonlySet<string>;
  deliver(message: Message<Context>): void;
  end(): void;
}

/** What a delivered message counts in the reader's queue beside its frames. */
const MESSAGE_OVERHEAD = 128;

function byteSize(message: Message): number {
  let size = MESSAGE_OVERHEAD;
  if ("frames" in message) for (const frame of message.frames) size += frame.length;
  return size;
}

export function createPort<Context>(
  readableBytes: number,
  on: {
    send(port: Port<Context>, message: PeerMessage): void;
    /** Somebody writes through this port for the first time. */
    newSender(sender: string): void;
    droppedIn(): void;
    /** Ends the port on the channel; resolves when what it sent is out and its subscription given up. */
    released(port: Port<Context>): Promise<void>;
  },
): Port<Context> {
  const senders = new Set<string>();
  let reader: ReadableStreamDefaultController<Message<Context>>;
  let ended = false;
  let missed = false;
  let release: Promise<void> | undefined;

  const readable = new ReadableStream<Message<Context>>(
    {
      start(controller) {
        reader = controller;
      },
      pull(controller) {
        if (!missed) return;
        missed = false;
        controller.enqueue({ kind: "lost", direction: "in" });
      },
      cancel: () => releaseOnce(),
    },
    { highWaterMark: readableBytes, size: byteSize },
  );

  const writable = new WritableStream<Message<Context>>({
    write(message) {
      // A transport's own signals have no meaning for the other side.
      if (!("frames" in message)) return;
      if (!senders.has(message.sender)) {
        senders.add(message.sender);
        on.newSender(message.sender);
      }
      on.send(port, message);
    },
    close: () => releaseOnce(),
    abort: () => releaseOnce(),
  });

  function releaseOnce(): Promise<void> {
    release ??= on.released(port);
    return release;
  }

  const port: Port<Context> = {
    transport: { readable, writable },
    senders,
    deliver(message) {
      if (ended) return;
      if (missed || (reader.desiredSize ?? 0) <= 0) {
        missed = true;
        on.droppedIn();
        return;
      }
      reader.enqueue(message);
    },
    end() {
      if (ended) return;
      ended = true;
      try {
        reader.close();
      } catch (error) {
        // A reader that cancelled has closed the stream itself.
        if (!(error instanceof TypeError)) throw error;
      }
    },
  };
  return port;
}
