import { afterTurn } from "@teleportal/sync-core";

type Listener = (bytes: Uint8Array) => void;

/** A broker inside one process: the instances that share a bus share their documents. */
export interface MemoryBus {
  /** Delivers a copy to each subscriber, after this event-loop turn. Returns how many there are. */
  publish(channel: string, bytes: Uint8Array): number;
  /** Returns what ends the subscription. */
  subscribe(channel: string, onBytes: Listener): () => void;
}

export function createMemoryBus(): MemoryBus {
  const channels = new Map<string, Set<Listener>>();

  return {
    publish(channel, bytes) {
      const listeners = channels.get(channel);
      if (listeners === undefined) return 0;
      for (const listener of listeners) {
        // Its own copy for each: nobody shares a buffer, as nobody would over a network.
        const copy = new Uint8Array(bytes);
        afterTurn(() => {
          if (listeners.has(listener)) listener(copy);
        });
      }
      return listeners.size;
    },
    subscribe(channel, onBytes) {
      let listeners = channels.get(channel);
      if (listeners === undefined) {
        listeners = new Set();
        channels.set(channel, listeners);
      }
      // Wrapped, so that two subscriptions with one function are two.
      const listener: Listener = (bytes) => onBytes(bytes);
      const subscribed = listeners;
      subscribed.add(listener);
      return () => {
        subscribed.delete(listener);
        if (subscribed.size === 0 && channels.get(channel) === subscribed) channels.delete(channel);
      };
    },
  };
}

/** The bus of every factory that names none: all of a process. */
export const processBus: MemoryBus = createMemoryBus();
