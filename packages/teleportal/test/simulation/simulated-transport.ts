import type { PeerMessage, TransportSignal } from "@teleportal/sync-core";
import {
  encodeEnvelope,
  decodeContent,
  decodeEnvelope,
} from "../../../sync-core/src/wire/envelope.ts";
import type { DecodedEnvelope } from "../../../sync-core/src/wire/envelope.ts";
import { PartJoiner, splitEnvelope } from "../../../sync-core/src/wire/parts.ts";
import type { BrokerReceiver, SimulatedBroker } from "./simulated-broker.ts";

/** How a transport makes bytes of messages. */
export interface TransportSettings {
  /** Whether what is sent in one turn shares an envelope, as it does in the built-in transports. */
  readonly batches: boolean;
  /** Larger envelopes go in parts; each of them may be lost. */
  readonly maxPayload: number;
  /** Whether the broker tells how many it has reached. */
  readonly countsReceivers: boolean;
}

export interface SimulatedTransport {
  send(message: PeerMessage): void;
  /** Publishes what was sent since. */
  flush(): void;
  /** Gives up the subscription and what was not published. */
  abandon(): void;
}

const PART_BYTES = 1024 * 1024;

/** The way of one instance to the broker: messages on one side, bytes on the other. */
export function openSimulatedTransport(
  place: string,
  id: string,
  broker: SimulatedBroker,
  settings: TransportSettings,
  on: {
    message(message: PeerMessage | TransportSignal): void;
    /** Something waits for the end of this turn. */
    waiting(): void;
  },
): SimulatedTransport {
  const joiner = new PartJoiner(PART_BYTES);
  let waiting: PeerMessage[] = [];
  let partId = 0;

  function deliver(decoded: DecodedEnvelope): void {
    if (decoded.type !== "messages") throw new Error(`an envelope was decoded as ${decoded.type}`);
    for (const message of decoded.messages) on.message(message);
  }

  const receiver: BrokerReceiver = {
    bytes(bytes) {
      const decoded = decodeEnvelope(bytes);
      if (decoded.type !== "part") {
        deliver(decoded);
        return;
      }
      if (decoded.part.sender === id) return;
      const joined = joiner.add(decoded.part);
      if (joined.type === "content") deliver(decodeContent(decoded.part, joined.content));
    },
    signal: (signal) => on.message(signal),
  };

  function publish(messages: readonly PeerMessage[]): void {
    const [first] = messages;
    if (first === undefined) return;
    const envelope = encodeEnvelope(first, messages);
    let receivers: number | undefined;
    for (const bytes of splitEnvelope(first, envelope, settings.maxPayload, () => partId++)) {
      receivers = broker.publish(place, bytes);
    }
    const asked = messages.some(({ kind, to }) => kind === "request" && to === undefined);
    if (settings.countsReceivers && receivers === 0 && asked) on.message({ kind: "alone" });
  }

  broker.subscribe(place, receiver);

  return {
    send(message) {
      if (waiting.length === 0) on.waiting();
      waiting.push(message);
    },
    flush() {
      const messages = waiting;
      waiting = [];
      if (settings.batches) publish(messages);
      else for (const message of messages) publish([message]);
    },
    abandon() {
      waiting = [];
      broker.unsubscribe(place, receiver);
    },
  };
}
