import { describeCause } from "@teleportal/sync-core";
import type {
  DirectConnection,
  DirectReader,
  DirectTransport,
  Logger,
  Message,
  PeerMessage,
  TransportStreams,
} from "@teleportal/sync-core";

/** How many bytes a transport may leave unwritten before more is dropped. */
const MAX_UNWRITTEN = 16 * 1024 * 1024;

/** How long a transport may take to end, in milliseconds. */
const CLOSE_TIMEOUT = 4000;

/** A transport as the replica uses it: messages in and out, and nothing waits for anything. */
export interface TransportLink {
  send(message: PeerMessage): void;
  /** Resolves when what was sent is out, or could not be, and the transport has ended. */
  close(): Promise<void>;
}

/**
 * Reads a transport, built-in or hand-written, to its end. One that fails does not take the document with it: that
 * is said once, and the document works on alone.
 */
export function openTransportLink(
  documentId: string,
  transport: TransportStreams<unknown> | DirectTransport<unknown>,
  logger: Logger,
  receive: (message: Message) => void,
): TransportLink {
  return new DocumentLink(documentId, transport, logger, receive);
}

class DocumentLink implements TransportLink, DirectReader<unknown> {
  readonly #documentId: string;
  readonly #logger: Logger;
  readonly #receive: (message: Message) => void;
  readonly #connection: DirectConnection<unknown>;
  #broken = false;
  #closing = false;
  #threw = false;

  constructor(
    documentId: string,
    transport: TransportStreams<unknown> | DirectTransport<unknown>,
    logger: Logger,
    receive: (message: Message) => void,
  ) {
    this.#documentId = documentId;
    this.#logger = logger;
    this.#receive = receive;
    this.#connection =
      "takeOver" in transport ? transport.takeOver(this) : takeOverStreams(transport, this);
  }

  send(message: PeerMessage): void {
    if (!this.#broken) this.#connection.send(message);
  }

  async close(): Promise<void> {
    this.#closing = true;
    try {
      await within(this.#connection.close());
    } catch (cause) {
      // One that has failed before has been reported; only a first failure is news.
      if (this.#broken) return;
      this.#logger.warn(
        `[teleportal] the transport of ${this.#documentId} failed to close (${describeCause(cause)}): ` +
          "its last messages may be lost, and are repaired when the document is opened again",
      );
    }
  }

  /** One message that cannot be handled takes neither those behind it nor the link with it. */
  receive(message: Message): void {
    try {
      this.#receive(message);
    } catch (cause) {
      if (this.#threw) return;
      this.#threw = true;
      this.#logger.error(
        `[teleportal] a message for ${this.#documentId} (${message.kind}) could not be handled ` +
          `(${describeCause(cause)}): skipped, and not reported again until the document is opened anew`,
      );
    }
  }

  ended(): void {
    this.fail("read", "it has ended");
  }

  fail(what: "read" | "write", cause: unknown): void {
    if (this.#broken || this.#closing) return;
    this.#broken = true;
    this.#logger.error(
      `[teleportal] the transport of ${this.#documentId} failed to ${what} (${describeCause(cause)}): ` +
        "the document works on alone until it is opened again",
    );
    this.receive({ kind: "down" });
  }
}

/** What a direct transport does by itself. */
function takeOverStreams(
  transport: TransportStreams<unknown>,
  link: DocumentLink,
): DirectConnection<unknown> {
  const reader = transport.readable.getReader();
  const writer = transport.writable.getWriter();
  let unwritten = 0;
  let dropped = false;

  async function readAll(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        link.receive(value);
      }
    } catch (cause) {
      link.fail("read", cause);
      return;
    }
    link.ended();
  }

  async function write(message: Message, size: number): Promise<void> {
    unwritten += size;
    try {
      await writer.write(message);
    } catch (cause) {
      link.fail("write", cause);
    } finally {
      unwritten -= size;
    }
    if (dropped && unwritten === 0) {
      dropped = false;
      link.receive({ kind: "lost", direction: "out" });
    }
  }

  void readAll();

  return {
    send(message) {
      let size = 0;
      if ("frames" in message) for (const frame of message.frames) size += frame.length;
      if (unwritten > 0 && unwritten + size > MAX_UNWRITTEN) {
        dropped = true;
        return;
      }
      void write(message, size);
    },
    async close() {
      try {
        await within(writer.close());
      } finally {
        // Not waited for: one that has not ended by now may never.
        void reader.cancel().catch(() => {});
      }
    },
  };
}

/** A hand-written transport may never settle; a document is closed all the same. */
async function within(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing after ${CLOSE_TIMEOUT} ms`)), CLOSE_TIMEOUT);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
