import type { Message, PeerMessage } from "../contract/message.ts";
import type { DirectConnection, DirectReader, DirectTransport } from "../contract/transport.ts";
import { SyncError } from "../sync-error.ts";

/** One `createTransport`: the transport, and what the channel needs to know of its owner. */
export interface Port<Context> {
  readonly transport: DirectTransport<Context>;
  /** The senders that write through this port: what they said is not delivered to it. */
  readonly senders: ReadonlySet<string>;
  deliver(message: Message<Context>): void;
  end(): void;
}

/** What a port tells its channel. */
export interface PortHost<Context> {
  send(port: Port<Context>, message: PeerMessage): void;
  /** Somebody writes through this port for the first time. */
  newSender(sender: string): void;
  droppedIn(): void;
  /** Ends the port on the channel; resolves when what it sent is out and its subscription given up. */
  released(port: Port<Context>): Promise<void>;
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

/** Opens a port, which keeps up to so many bytes for a reader that does not keep up. */
export function createPort<Context>(readableBytes: number, host: PortHost<Context>): Port<Context> {
  return new TransportPort(readableBytes, host);
}

/**
 * The streams are made when they are first asked for: a transport that is taken over needs none, and two streams
 * take more memory than all the rest of a quiet document.
 */
class TransportPort<Context> implements Port<Context> {
  readonly senders = new Set<string>();
  readonly transport: DirectTransport<Context> = new PortTransport(this);
  readonly #readableBytes: number;
  readonly #host: PortHost<Context>;
  /** What has come before anybody reads. */
  #early: Message<Context>[] = [];
  #earlyBytes = 0;
  #reader: Reader<Context> | undefined;
  #readable: ReadableStream<Message<Context>> | undefined;
  #writable: WritableStream<Message<Context>> | undefined;
  #takenOver = false;
  #ended = false;
  #missed = false;
  #released: Promise<void> | undefined;

  constructor(readableBytes: number, host: PortHost<Context>) {
    this.#readableBytes = readableBytes;
    this.#host = host;
  }

  deliver(message: Message<Context>): void {
    if (this.#ended) return;
    if (!this.#missed && (this.#reader?.take(message) ?? this.#keepEarly(message))) return;
    this.#missed = true;
    this.#host.droppedIn();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reader?.end();
  }

  readable(): ReadableStream<Message<Context>> {
    this.#assertOwn("read");
    this.#readable ??= this.#openReadable();
    return this.#readable;
  }

  writable(): WritableStream<Message<Context>> {
    this.#assertOwn("write to");
    this.#writable ??= new WritableStream<Message<Context>>({
      write: (message) => this.write(message),
      close: () => this.release(),
      abort: () => this.release(),
    });
    return this.#writable;
  }

  takeOver(reader: DirectReader<Context>): DirectConnection<Context> {
    this.#assertOwn("take over");
    if (this.#readable !== undefined || this.#writable !== undefined) {
      throw new SyncError(
        "sync-core",
        "a transport's streams are in use",
        "take it over before they are asked for",
      );
    }
    this.#takenOver = true;
    if (this.#missed) this.#early.push({ kind: "lost", direction: "in" });
    this.#missed = false;
    this.#readWith(new TakenOver(reader));
    return new PortConnection(this);
  }

  write(message: Message<Context>): void {
    // A transport's own signals have no meaning for the other side.
    if (!("frames" in message)) return;
    if (!this.senders.has(message.sender)) {
      this.senders.add(message.sender);
      this.#host.newSender(message.sender);
    }
    this.#host.send(this, message);
  }

  /** Whether it was told to end. */
  get releasing(): boolean {
    return this.#released !== undefined;
  }

  release(): Promise<void> {
    this.#released ??= this.#host.released(this);
    return this.#released;
  }

  #keepEarly(message: Message<Context>): boolean {
    if (this.#earlyBytes >= this.#readableBytes) return false;
    this.#earlyBytes += byteSize(message);
    this.#early.push(message);
    return true;
  }

  #readWith(next: Reader<Context>): void {
    this.#reader = next;
    const waiting = this.#early;
    this.#early = [];
    for (const message of waiting) next.take(message);
    if (this.#ended) next.end();
  }

  #openReadable(): ReadableStream<Message<Context>> {
    let stream: ReadableStreamDefaultController<Message<Context>>;
    const opened = new ReadableStream<Message<Context>>(
      {
        start(controller) {
          stream = controller;
        },
        pull: (controller) => {
          if (!this.#missed) return;
          this.#missed = false;
          controller.enqueue({ kind: "lost", direction: "in" });
        },
        cancel: () => this.release(),
      },
      { highWaterMark: this.#readableBytes, size: byteSize },
    );
    this.#readWith({
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

  #assertOwn(what: string): void {
    if (!this.#takenOver) return;
    throw new SyncError(
      "sync-core",
      `cannot ${what} a transport that was taken over`,
      "open another",
    );
  }
}

/** What the one who asked for the transport gets to see of its port. */
class PortTransport<Context> implements DirectTransport<Context> {
  readonly #port: TransportPort<Context>;

  constructor(port: TransportPort<Context>) {
    this.#port = port;
  }

  get readable(): ReadableStream<Message<Context>> {
    return this.#port.readable();
  }

  get writable(): WritableStream<Message<Context>> {
    return this.#port.writable();
  }

  takeOver(reader: DirectReader<Context>): DirectConnection<Context> {
    return this.#port.takeOver(reader);
  }
}

class TakenOver<Context> implements Reader<Context> {
  readonly #reader: DirectReader<Context>;

  constructor(reader: DirectReader<Context>) {
    this.#reader = reader;
  }

  take(message: Message<Context>): boolean {
    this.#reader.receive(message);
    return true;
  }

  end(): void {
    this.#reader.ended();
  }
}

class PortConnection<Context> implements DirectConnection<Context> {
  readonly #port: TransportPort<Context>;

  constructor(port: TransportPort<Context>) {
    this.#port = port;
  }

  send(message: Message<Context>): void {
    if (!this.#port.releasing) this.#port.write(message);
  }

  close(): Promise<void> {
    return this.#port.release();
  }
}
