import type { Message, TransportStreams } from "@teleportal/sync-core";

type Forward = (message: Message) => void;

export interface TransportChange {
  /** What comes out of `readable`. @default as it is */
  readonly read?: (message: Message, forward: Forward) => void | Promise<void>;
  /** What goes into `writable`. @default as it is */
  readonly write?: (message: Message, forward: Forward) => void | Promise<void>;
  /** Instead of closing the transport when `writable` is closed. */
  readonly close?: (close: () => Promise<void>) => Promise<void>;
  /** Instead of ending the transport when `readable` is cancelled. */
  readonly cancel?: (cancel: () => Promise<void>) => Promise<void>;
}

/** A transport around another, with what a mistake would change. */
export function changeTransport(
  { readable, writable }: TransportStreams<unknown>,
  { read, write, close, cancel }: TransportChange,
): TransportStreams<unknown> & { readonly echo: Forward } {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  let out!: ReadableStreamDefaultController<Message>;
  let over = false;
  let forwarded = false;

  function forward(message: Message): void {
    if (over) return;
    forwarded = true;
    out.enqueue(message);
  }

  function finish(): void {
    if (over) return;
    over = true;
    out.close();
  }

  /** Reads on only when the reader does, as the transport inside would: what waits for nobody is in there. */
  async function pull(): Promise<void> {
    forwarded = false;
    while (!forwarded && !over) {
      const { done, value } = await reader.read();
      if (done) finish();
      else if (read === undefined) forward(value);
      else await read(value, forward);
    }
  }

  const send: Forward = (message) => void writer.write(message).catch(() => {});

  return {
    echo: forward,
    readable: new ReadableStream<Message>(
      {
        start(controller) {
          out = controller;
        },
        pull: () => pull().catch(finish),
        cancel() {
          over = true;
          const end = (): Promise<void> => reader.cancel();
          return cancel === undefined ? end() : cancel(end);
        },
      },
      { highWaterMark: 0 },
    ),
    writable: new WritableStream<Message>({
      write: (message) => (write === undefined ? send(message) : write(message, send)),
      close() {
        const end = (): Promise<void> => writer.close();
        return close === undefined ? end() : close(end);
      },
      abort: () => writer.abort(),
    }),
  };
}
