import { EventEmitter } from "node:events";
import type { OutgoingMessage, PubsubClients, PullStream } from "../src/pubsub-clients.ts";

/** A stream that the test feeds and ends. */
export interface FakeStream {
  receive(message: OutgoingMessage): void;
  end(cause: Error): void;
}

/**
 * Pub/Sub as one instance sees it, for what an emulator never does by itself: each publish comes back on the stream
 * that was opened last, unless `failure` says why it cannot.
 */
export function createFakeClients() {
  const published: OutgoingMessage[][] = [];
  const acknowledged: string[] = [];
  const streams: FakeStream[] = [];
  const control = {
    published,
    acknowledged,
    streams,
    connected: true,
    failure: undefined as Error | undefined,
  };
  let ids = 0;

  const clients: PubsubClients = {
    project: "projects/test",
    initialize: async () => {},
    async publish(_topic, messages) {
      published.push(messages);
      await new Promise((resolve) => setImmediate(resolve));
      if (control.failure !== undefined) throw control.failure;
      for (const message of messages) streams.at(-1)?.receive(message);
    },
    createTopic: async () => {},
    createSubscription: async () => {},
    deleteSubscription: async () => {},
    listSubscriptions: async () => [],
    acknowledge: async (_subscription, ackIds) => void acknowledged.push(...ackIds),
    streamingPull() {
      const events = new EventEmitter();
      streams.push({
        receive({ attributes, orderingKey, data }) {
          const message = { attributes, orderingKey, data };
          events.emit("data", { receivedMessages: [{ ackId: `ack ${ids++}`, message }] });
        },
        end: (cause) => void events.emit("error", cause),
      });
      const { on } = events;
      return { on: on.bind(events), write: () => true, cancel: () => {} } as unknown as PullStream;
    },
    isConnected: async () => control.connected,
    close: async () => {},
  };
  return { clients, control };
}

/** What gRPC rejects with. */
export function grpcError(code: number, message = `status ${code}`): Error {
  return Object.assign(new Error(message), { code });
}
