import { BroadcastChannel } from "node:worker_threads";
import type {
  Message,
  PeerMessage,
  ServerSyncTransportFactory,
  YTransport,
} from "teleportal/server";

/** How many bytes may wait for a reader. */
const MAX_UNREAD = 16 * 1024 * 1024;

function sizeOf(message: Message | undefined): number {
  const frames = message !== undefined && "frames" in message ? message.frames : [];
  return frames.reduce((size, { length }) => size + length, 100);
}

/** Keeps the servers of one Node process in step, in whatever worker thread each of them runs. */
export class BroadcastChannelTransportFactory<
  Context,
> implements ServerSyncTransportFactory<Context> {
  readonly #context: Context;
  readonly #keyPrefix: string;
  readonly #ends = new Set<() => void>();
  #closed = false;

  constructor(context: Context, keyPrefix = "teleportal:sync:") {
    this.#context = context;
    this.#keyPrefix = keyPrefix;
  }

  async createTransport(documentId: string): Promise<YTransport<Context, object>> {
    if (this.#closed) throw new Error("the factory is closed: make a new one");
    // Hears from now on what others post, and never itself.
    const channel = new BroadcastChannel(this.#keyPrefix + documentId);
    let finish!: () => void;
    const end = (): void => {
      channel.close();
      if (this.#ends.delete(end)) finish();
    };
    this.#ends.add(end);

    let lost = false;
    const readable = new ReadableStream<Message<Context>>(
      {
        start: (controller) => {
          finish = () => controller.close();
          // oxlint-disable-next-line unicorn/prefer-add-event-listener -- Node's BroadcastChannel has no other typed way
          channel.onmessage = (event) => {
            // A reader that does not keep up misses messages, and is told.
            if ((controller.desiredSize ?? 0) <= 0) lost = true;
            else
              controller.enqueue({
                ...(event.data as PeerMessage<Context>),
                context: this.#context,
              });
          };
        },
        pull(controller) {
          if (lost) controller.enqueue({ kind: "lost", direction: "in" });
          lost = false;
        },
        cancel: () => {
          // The stream is closed already: nothing to finish.
          finish = () => {};
          end();
        },
      },
      { highWaterMark: MAX_UNREAD, size: sizeOf },
    );
    const writable = new WritableStream<Message<Context>>({
      // Messages are plain data: structured cloning carries them as they are.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows; a channel takes none
      write: (message) => channel.postMessage(message),
      close: end,
      abort: end,
    });
    return { readable, writable };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#ends) end();
  }
}
