import { BroadcastChannel } from "node:worker_threads";
import type { Message, ServerSyncTransportFactory, YTransport } from "teleportal/server";

/** Keeps the servers of one Node process in step, in whatever worker thread each of them runs. */
export class BroadcastChannelTransportFactory<
  Context,
> implements ServerSyncTransportFactory<Context> {
  readonly #keyPrefix: string;
  readonly #ends = new Set<() => void>();

  constructor(keyPrefix = "teleportal:sync:") {
    this.#keyPrefix = keyPrefix;
  }

  async createTransport(documentId: string): Promise<YTransport<Context, object>> {
    // Hears from now on what others post, and never itself.
    const channel = new BroadcastChannel(this.#keyPrefix + documentId);
    let finish!: () => void;
    const end = (): void => {
      channel.close();
      if (this.#ends.delete(end)) finish();
    };
    this.#ends.add(end);

    const readable = new ReadableStream<Message<Context>>({
      start(controller) {
        finish = () => controller.close();
        // oxlint-disable-next-line unicorn/prefer-add-event-listener -- Node's BroadcastChannel has no other typed way
        channel.onmessage = (event) => {
          controller.enqueue(event.data as Message<Context>);
        };
      },
      cancel: () => {
        // The stream is closed already: nothing to finish.
        finish = () => {};
        end();
      },
    });
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
    for (const end of this.#ends) end();
  }
}
