import { randomBytes } from "node:crypto";
import { connect } from "@nats-io/transport-node";
import type { Subscription } from "@nats-io/transport-node";
import { Redis } from "ioredis";

/** A broker with nothing around it but its client library. */
export interface RawBus {
  subscribe(room: string): void;
  unsubscribe(room: string): void;
  publish(room: string, frame: Buffer): void;
}

type OnFrame = (room: string, frame: Uint8Array) => void;

const ID_BYTES = 8;

/** `onFrame` is told of what others publish to the rooms that were subscribed to. */
export async function openRawBus(broker: string, onFrame: OnFrame): Promise<RawBus> {
  return broker.startsWith("nats:") ? openNats(broker, onFrame) : openRedis(broker, onFrame);
}

function openRedis(broker: string, onFrame: OnFrame): RawBus {
  const id = randomBytes(ID_BYTES);
  const publisher = new Redis(broker);
  const subscriber = new Redis(broker);
  subscriber.on("messageBuffer", (channel: Buffer, message: Buffer) => {
    // Redis sends back what one has published oneself.
    if (message.compare(id, 0, ID_BYTES, 0, ID_BYTES) === 0) return;
    onFrame(channel.toString(), message.subarray(ID_BYTES));
  });
  return {
    subscribe: (room) => void subscriber.subscribe(room),
    unsubscribe: (room) => void subscriber.unsubscribe(room),
    publish: (room, frame) => void publisher.publish(room, Buffer.concat([id, frame])),
  };
}

async function openNats(broker: string, onFrame: OnFrame): Promise<RawBus> {
  const connection = await connect({ servers: broker, noEcho: true });
  const subscriptions = new Map<string, Subscription>();
  return {
    subscribe(room) {
      const subscription = connection.subscribe(room, {
        callback: (_error, message) => onFrame(room, message.data),
      });
      subscriptions.set(room, subscription);
    },
    unsubscribe(room) {
      subscriptions.get(room)?.unsubscribe();
      subscriptions.delete(room);
    },
    publish: (room, frame) => connection.publish(room, frame),
  };
}
