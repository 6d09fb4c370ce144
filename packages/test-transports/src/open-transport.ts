import type { Message, SyncTransportFactory } from "@teleportal/sync-core";

/** A document's transport, written to and read from by hand. */
export interface OpenTransport {
  readonly writer: WritableStreamDefaultWriter<Message>;
  /** The next message, signals included. @throws when the transport has ended */
  next(): Promise<Message>;
}

export async function openTransport(
  factory: SyncTransportFactory<unknown>,
  documentId: string,
): Promise<OpenTransport> {
  const transport = await factory.createTransport(documentId);
  const reader = transport.readable.getReader();
  return {
    writer: transport.writable.getWriter(),
    async next() {
      const { value, done } = await reader.read();
      if (done) throw new Error("the transport has ended");
      return value;
    },
  };
}
