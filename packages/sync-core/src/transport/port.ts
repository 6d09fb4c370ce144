import type { Message, PeerMessage } from "../contract/message.ts";
import type { DirectTransport } from "../contract/transport.ts";
import { SyncError } from "../sync-error.ts";

/** One `createTransport`: the transport, and what the channel needs to know of its owner. */
export interface Port<Context> {
  readonly transport: DirectTransport<Context>;
  /** The senders that write through this port: what they said is not delivered to it. */
  readonly senders: ReadonlySet<string>;
  deliver(message: Message<Context>): void;
  end(): void;
}

interface TransportSource<Context> {
  readable(): ReadableStream<Message<Context>>;
  writable(): WritableStream<Message<Context>>;
  takeOver: DirectTransport<Context>["takeOver"];
}

/** A class, as accessors of an object literal take a kilobyte each time. */
class PortTransport<Context> implements DirectTransport<Context> {
  readonly #source: TransportSource<Context>;
  readonly takeOver: DirectTransport<Context>["takeOver"];

  constructor(source: TransportSource<Context>) {
    this.#source = source;
    this.takeOver = source.takeOver;
  }

  get readable(): ReadableStream<Message<Context>> {
    return this.#source.readable();
  }

  get writable(): WritableStream<Message<Context>> {
    return this.#source.writable();
  }
}

/** Where a port's messages go. */
interface Reader<Context> {
  /** False, and the message is dropped, if it has no room. */
  take(message: Message<Context>): boolean;
  end(): void;
}

/** What a delivered message counts in the reader's queue beside its frames. */
const MESSAGE_OVERHEAD = 128;

function byteSize(message: Message): number {
  let size = MESSAGE_OVERHEAD;
  if ("frames" in message) for (const frame of message.frames) size += frame.length;
  return size;
}

/**
 * The streams are made when they are first asked for: a transport that is taken over needs none, and two streams
 * take more memory than all the rest of a quiet document.
 */
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
  /** What has come before anybody reads. */
  let early: Message<Context>[] = [];
  let earlyBytes = 0;
  let reader: Reader<Context> | undefined;
  let readable: ReadableStream<Message<Context>> | undefined;
  let writable: WritableStream<Message<Context>> | undefined;
  let takenOver = false;
  let ended = false;
  let missed = false;
  let release: Promise<void> | undefined;

  function releaseOnce(): Promise<void> {
    release ??= on.released(port);
    return release;
  }

  function write(message: Message<Context>): void {
    // A transport's own signals have no meaning for the other side.
    if (!("frames" in message)) return;
    if (!senders.has(message.sender)) {
      senders.add(message.sender);
      on.newSender(message.sender);
    }
    on.send(port, message);
  }

  function keepEarly(message: Message<Context>): boolean {
    if (earlyBytes >= readableBytes) return false;
    earlyBytes += byteSize(message);
    early.push(message);
    return true;
  }

  function readWith(next: Reader<Context>): void {
    reader = next;
    const waiting = early;
    early = [];
    for (const message of waiting) next.take(message);
    if (ended) next.end();
  }

  function openReadable(): ReadableStream<Message<Context>> {
    let stream: ReadableStreamDefaultController<Message<Context>>;
    const opened = new ReadableStream<Message<Context>>(
      {
        start(controller) {
          stream = controller;
        },
        pull(controller) {
          if (!missed) return;
          missed = false;
          controller.enqueue({ kind: "lost", direction: "in" });
        },
        cancel: releaseOnce,
      },
      { highWaterMark: readableBytes, size: byteSize },
    );
    readWith({
      take(message) {
        if ((stream.desiredSize ?? 0) <= 0) return false;
        stream.enqueue(message);
        return true;
      },
      end() {
        try {
          stream.close();
        } catch (error) {
          // A reader that cancelled has closed the stream itself.
          if (!(error instanceof TypeError)) throw error;
        }
      },
    });
    return opened;
  }

  const transport = new PortTransport<Context>({
    readable() {
      assertOwn("read");
      readable ??= openReadable();
      return readable;
    },
    writable() {
      assertOwn("write to");
      writable ??= new WritableStream<Message<Context>>({
        write,
        close: releaseOnce,
        abort: releaseOnce,
      });
      return writable;
    },
    takeOver({ receive, ended: onEnded }) {
      assertOwn("take over");
      if (readable !== undefined || writable !== undefined) {
        throw new SyncError(
          "sync-core",
          "a transport's streams are in use",
          "take it over before they are asked for",
        );
      }
      takenOver = true;
      if (missed) early.push({ kind: "lost", direction: "in" });
      missed = false;
      readWith({
        take(message) {
          receive(message);
          return true;
        },
        end: onEnded,
      });
      return {
        send(message) {
          if (release === undefined) write(message);
        },
        close: releaseOnce,
      };
    },
  });

  function assertOwn(what: string): void {
    if (!takenOver) return;
    throw new SyncError(
      "sync-core",
      `cannot ${what} a transport that was taken over`,
      "open another",
    );
  }

  const port: Port<Context> = {
    transport,
    senders,
    deliver(message) {
      if (ended) return;
      if (!missed && (reader?.take(message) ?? keepEarly(message))) return;
      missed = true;
      on.droppedIn();
    },
    end() {
      if (ended) return;
      ended = true;
      reader?.end();
    },
  };
  return port;
}
