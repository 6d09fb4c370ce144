import type { SyncDriver, Unsubscribe } from "../contract/driver.ts";

const RETRY_DELAY = 1000;

/** What a subscription tells its channel. */
export interface SubscriptionHost {
  receive(bytes: Uint8Array): void;
  held(): void;
  /** Subscribing has failed, and is tried again; or giving up has. */
  refused(cause: unknown): void;
  canSubscribe(): boolean;
}

/**
 * One channel's subscription, brought in step with whether it is wanted. Subscribe and unsubscribe never overlap:
 * brokers' clients leave dead subscriptions when they do (davidyaha/graphql-redis-subscriptions#598).
 */
export class Subscription {
  readonly #driver: SyncDriver;
  readonly #channel: string;
  readonly #on: SubscriptionHost;
  #wanted = false;
  #unsubscribe: Unsubscribe | undefined;
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(driver: SyncDriver, channel: string, on: SubscriptionHost) {
    this.#driver = driver;
    this.#channel = channel;
    this.#on = on;
  }

  /** Whether the driver holds it. */
  get held(): boolean {
    return this.#wanted && this.#unsubscribe !== undefined;
  }

  /** Says whether it is wanted; resolves when that is so or, if the broker refuses, when it was tried. */
  async want(value: boolean): Promise<void> {
    this.#wanted = value;
    const joining = this.#running !== undefined;
    await this.#start();
    // The run that was already under way may have passed its last check before `wanted` changed.
    if (joining) await this.#start();
  }

  /** Tries again at once what was refused. */
  retry(): void {
    if (this.#wanted) void this.#start();
  }

  #start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running ??= this.#reconcile().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #reconcile(): Promise<void> {
    while (this.#wanted !== (this.#unsubscribe !== undefined)) {
      if (this.#unsubscribe !== undefined) {
        const give = this.#unsubscribe;
        this.#unsubscribe = undefined;
        try {
          await give();
        } catch (cause) {
          this.#on.refused(cause);
        }
        continue;
      }
      if (!this.#on.canSubscribe()) return;
      try {
        this.#unsubscribe = await this.#driver.subscribe(this.#channel, (bytes) => {
          if (this.#wanted) this.#on.receive(bytes);
        });
      } catch (cause) {
        // Nobody waits for it any more: as good as given up.
        if (!this.#wanted) return;
        this.#on.refused(cause);
        this.#timer = setTimeout(() => void this.#start(), RETRY_DELAY);
        return;
      }
      if (this.#wanted) this.#on.held();
    }
  }
}
