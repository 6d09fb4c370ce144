import { createMemoryBus } from "@teleportal/sync-memory";
import type { MemoryBus } from "@teleportal/sync-memory";

/** A broker with two sides, one for each instance, and a link between them that can be cut. */
export interface SplitBus {
  readonly sides: readonly [MemoryBus, MemoryBus];
  /** From now on nothing gets from one side to the other, and nobody is told: what is published meanwhile is lost there. */
  cut(): void;
  /** The link carries messages again: those that are published from now on. */
  heal(): void;
  /** Calls `onLarge` before a message of at least `bytes` is delivered on the other side; that one and all behind it wait for it. */
  holdLarge(bytes: number, onLarge: () => Promise<void>): void;
}

export function createSplitBus(): SplitBus {
  const buses = [createMemoryBus(), createMemoryBus()] as const;
  let whole = true;
  let large: { readonly bytes: number; readonly onLarge: () => Promise<void> } | undefined;

  function side(own: MemoryBus, other: MemoryBus): MemoryBus {
    let crossing = Promise.resolve();
    let waiting = 0;

    /** In the order of publishing, also when one of them waits. */
    function cross(channel: string, bytes: Uint8Array): void {
      const onLarge =
        large !== undefined && bytes.length >= large.bytes ? large.onLarge : undefined;
      if (waiting === 0 && onLarge === undefined) {
        other.publish(channel, bytes);
        return;
      }
      const copy = new Uint8Array(bytes);
      waiting += 1;
      crossing = crossing.then(async () => {
        await onLarge?.();
        waiting -= 1;
        other.publish(channel, copy);
      });
    }

    return {
      publish(channel, bytes) {
        const count = own.publish(channel, bytes);
        if (whole) cross(channel, bytes);
        return count;
      },
      subscribe: (channel, onBytes) => own.subscribe(channel, onBytes),
    };
  }

  return {
    sides: [side(buses[0], buses[1]), side(buses[1], buses[0])],
    cut() {
      whole = false;
    },
    heal() {
      whole = true;
    },
    holdLarge(bytes, onLarge) {
      large = { bytes, onLarge };
    },
  };
}
