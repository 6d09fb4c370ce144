import type { SyncDriver, Unsubscribe } from "../contract/driver.ts";

const RETRY_DELAY = 1000;

/**
 * One channel's subscription, brought in step with whether it is wanted. Subscribe and unsubscribe never overlap:
 * brokers' clients leave dead subscriptions when they do (davidyaha/graphql-redis-subscriptions#598).
 */
export interface Subscription {
  /** Whether the driver holds it. */
  isHeld(): boolean;
  /** Says whether it is wanted; resolves when that is so or, if the broker refuses, when it was tried. */
  want(wanted: boolean): Promise<void>;
  /** Tries again at once what was refused. */
  retry(): void;
}

export function createSubscription(
  driver: SyncDriver,
  channel: string,
  on: {
    bytes(bytes: Uint8Array): void;
    held(): void;
    failed(cause: unknown): void;
    canSubscribe(): boolean;
  },
): Subscription {
  let wanted = false;
  let unsubscribe: Unsubscribe | undefined;
  let running: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function receive(bytes: Uint8Array): void {
    if (wanted) on.bytes(bytes);
  }

  async function reconcile(): Promise<void> {
    while (wanted !== (unsubscribe !== undefined)) {
      if (unsubscribe !== undefined) {
        const give = unsubscribe;
        unsubscribe = undefined;
        try {
          await give();
        } catch (cause) {
          on.failed(cause);
        }
        continue;
      }
      if (!on.canSubscribe()) return;
      try {
        unsubscribe = await driver.subscribe(channel, receive);
      } catch (cause) {
        // Nobody waits for it any more: as good as given up.
        if (!wanted) return;
        on.failed(cause);
        timer = setTimeout(() => void start(), RETRY_DELAY);
        return;
      }
      if (wanted) on.held();
    }
  }

  function start(): Promise<void> {
    clearTimeout(timer);
    running ??= reconcile().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    isHeld: () => wanted && unsubscribe !== undefined,
    async want(value) {
      wanted = value;
      const joining = running !== undefined;
      await start();
      // The run that was already under way may have passed its last check before `wanted` changed.
      if (joining) await start();
    },
    retry() {
      if (wanted) void start();
    },
  };
}
