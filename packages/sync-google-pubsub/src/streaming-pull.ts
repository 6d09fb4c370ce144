import type { protos } from "@google-cloud/pubsub";
import { SyncError } from "@teleportal/sync-core";
import { NAME } from "./name.ts";
import type { PubsubClients } from "./pubsub-clients.ts";

/** A message as the driver needs it. */
export interface ReceivedMessage {
  readonly orderingKey: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
}

/** An open stream of a subscription's messages. */
export interface StreamingPull {
  close(): void;
}

/** Seconds after which Pub/Sub delivers again what was not acknowledged: the least it accepts. */
export const ACK_DEADLINE = 10;

/** How much Pub/Sub may have sent that is not acknowledged: bounds the memory of an instance that falls behind. */
const MAX_OUTSTANDING_MESSAGES = 1000;
const MAX_OUTSTANDING_BYTES = 32 * 1024 * 1024;

/** Milliseconds; a stream on which the client says nothing for long is ended by Pub/Sub. */
const KEEP_ALIVE_INTERVAL = 30_000;

/**
 * Opens a stream. Each message is handed on and acknowledged at once: what is lost behind this point is repaired from
 * the documents, so that a redelivery would bring nothing.
 */
export function openStreamingPull(
  clients: PubsubClients,
  subscription: string,
  on: {
    message(message: ReceivedMessage): void;
    /** It has ended, and not by `close`. */
    ended(cause: unknown): void;
  },
): StreamingPull {
  const stream = clients.streamingPull(subscription);
  const keepAlive = setInterval(() => stream.write({}), KEEP_ALIVE_INTERVAL);
  keepAlive.unref();
  const acknowledge = createAcknowledger(clients, subscription, end);
  let open = true;

  function end(cause: unknown): void {
    if (!open) return;
    close();
    on.ended(cause);
  }

  function close(): void {
    open = false;
    clearInterval(keepAlive);
    stream.cancel();
  }

  // It stays: cancelling is an error to the stream.
  stream.on("error", end);
  stream.on("end", () =>
    end(new SyncError(NAME, "the stream of messages was ended", "it is opened again")),
  );
  stream.on("data", ({ receivedMessages }: protos.google.pubsub.v1.IStreamingPullResponse) => {
    for (const { ackId, message } of receivedMessages ?? []) {
      if (!open) return;
      if (typeof ackId === "string") acknowledge(ackId);
      on.message({
        orderingKey: message?.orderingKey ?? "",
        attributes: message?.attributes ?? {},
        // A copy: the library's is a view of all that came together, which one message would keep in memory.
        data: new Uint8Array(message?.data instanceof Uint8Array ? message.data : []),
      });
    }
  });
  stream.write({
    subscription,
    streamAckDeadlineSeconds: ACK_DEADLINE,
    maxOutstandingMessages: MAX_OUTSTANDING_MESSAGES,
    maxOutstandingBytes: MAX_OUTSTANDING_BYTES,
  });
  return { close };
}

/** One request at a time; what arrives meanwhile goes together in the next. */
function createAcknowledger(
  clients: PubsubClients,
  subscription: string,
  failed: (cause: unknown) => void,
): (ackId: string) => void {
  let waiting: string[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    try {
      while (waiting.length > 0) {
        const ackIds = waiting;
        waiting = [];
        await clients.acknowledge(subscription, ackIds);
      }
    } catch (cause) {
      failed(cause);
    } finally {
      running = false;
    }
  }

  return (ackId) => {
    waiting.push(ackId);
    // After the messages that came together with this one.
    if (!running) {
      running = true;
      queueMicrotask(() => void run());
    }
  };
}
