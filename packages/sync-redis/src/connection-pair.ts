import { within } from "./answers.ts";
import type { RedisClientLike } from "./redis-client-like.ts";

/** The two connections, and which of them the driver has opened itself and therefore closes. */
export interface RedisClients<Client extends RedisClientLike = RedisClientLike> {
  readonly publisher: Client;
  readonly subscriber: Client;
  readonly ownsPublisher: boolean;
}

/** A connection to publish and one to subscribe, to the same Redis: one with subscriptions may send nothing else. */
export interface ConnectionPair {
  /** Whether both can be used. */
  readonly ready: boolean;
  /** What went wrong last; cleared by whoever sees that all is well again. */
  failure: unknown;
  /** Replaces a connection, or both; it is not `ready` until that is done. */
  replace(client?: RedisClientLike): void;
  /** Ends what the driver has opened. */
  close(): Promise<void>;
}

/** How long replies that are on their way have when a connection ends, in milliseconds. */
const GOODBYE_TIMEOUT = 1000;

/** How long Redis may take to greet a new connection, in milliseconds. */
const GREETING_TIMEOUT = 5000;

/** How long a connection that has given up stays so, in milliseconds. */
const REVIVAL_DELAY = 1000;

export function createConnectionPair(
  { publisher, subscriber, ownsPublisher }: RedisClients,
  on: {
    /** Both can be used now, with no subscription. */
    ready(): void;
    /** One of them cannot. */
    lost(): void;
    /** A client has reported an error; what it means for the connection comes after it. */
    error?(error: unknown): void;
  },
): ConnectionPair {
  const both = [publisher, subscriber];
  const condemned = new Set<RedisClientLike>();
  const revivals = new Map<RedisClientLike, ReturnType<typeof setTimeout>>();
  let failure: unknown;
  let closed = false;

  function isReady(): boolean {
    return both.every((client) => client.status === "ready" && !condemned.has(client));
  }

  function replace(client: RedisClientLike): void {
    if (client.status !== "ready" || condemned.has(client)) return;
    condemned.add(client);
    client.disconnect(true);
  }

  function attach(client: RedisClientLike): () => void {
    const isOwn = client !== publisher || ownsPublisher;
    let greeting: ReturnType<typeof setTimeout> | undefined;

    const onConnect = (): void => {
      if (isOwn) greeting = setTimeout(() => client.disconnect(true), GREETING_TIMEOUT);
    };
    const onError = (error: unknown): void => {
      failure = error;
      on.error?.(error);
    };
    const onReady = (): void => {
      clearTimeout(greeting);
      if (isReady()) on.ready();
    };
    const onClose = (): void => {
      clearTimeout(greeting);
      condemned.delete(client);
      on.lost();
    };
    // ioredis gives up where a caller's `retryStrategy` says so, and when it is disturbed while it asks a Sentinel.
    const onEnd = (): void => {
      if (!isOwn) return;
      clearTimeout(revivals.get(client));
      revivals.set(
        client,
        // What keeps it from connecting comes as an `error` event as well.
        setTimeout(() => void client.connect().catch(() => {}), REVIVAL_DELAY),
      );
    };
    const listeners = { connect: onConnect, close: onClose, ready: onReady, end: onEnd };
    client.on("error", onError);
    for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
    return () => {
      clearTimeout(greeting);
      for (const [event, listener] of Object.entries(listeners)) client.off(event, listener);
      // The own connections keep it: an `error` that comes late and finds no listener is printed by ioredis.
      if (!isOwn) client.off("error", onError);
    };
  }

  const detach = both.map(attach);

  return {
    get ready() {
      return isReady() && !closed;
    },
    get failure() {
      return failure;
    },
    set failure(error) {
      failure = error;
    },
    replace(client) {
      for (const one of client === undefined ? both : [client]) replace(one);
    },
    async close() {
      closed = true;
      for (const timer of revivals.values()) clearTimeout(timer);
      for (const off of detach) off();
      await Promise.all([endClient(subscriber), ownsPublisher ? endClient(publisher) : undefined]);
    },
  };
}

/** Ends a connection whatever its state; resolves when nothing of it is left. */
export async function endClient(client: RedisClientLike): Promise<void> {
  if (client.status === "ready") {
    // Lets replies that are on their way arrive. Cut while saying goodbye: it is closed all the same, below.
    await within(GOODBYE_TIMEOUT, [client.quit()]);
  }
  // These have no socket, and ioredis emits no `end` for them.
  const idle = ["wait", "reconnecting", "end"].includes(client.status);
  const ended = new Promise<void>((resolve) => {
    client.on("end", () => resolve());
  });
  client.disconnect();
  if (!idle) await ended;
}
