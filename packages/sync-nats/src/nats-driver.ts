import { setTimeout as delay } from "node:timers/promises";
import { createConnectionState, SyncError } from "@teleportal/sync-core";
import type { SyncDriver } from "@teleportal/sync-core";
import type { PermissionViolationError, Status } from "@nats-io/transport-node";
import { createAcknowledgements } from "./acknowledgements.ts";
import type { NatsConnectionLike } from "./nats-connection-like.ts";
import type { NatsLink } from "./nats-link.ts";
import type { Subjects } from "./subject.ts";

/**
 * Larger envelopes go in parts: everything of a client shares one connection, so one big document would keep the
 * others waiting behind it; and a subscriber that is slow for a moment has more of them within the server's buffer for
 * it (`max_pending`, 64 MiB). The server may allow less (`max_payload`).
 */
const MAX_PAYLOAD = 256 * 1024;

/** After how many milliseconds a subscription that the server has taken away is asked for again. */
const RESTORE_DELAY = 1000;

/** Milliseconds that `close` gives the server to take what is on its way. */
const CLOSE_TIMEOUT = 1000;

const NAME = "sync-nats";

interface Entry {
  readonly subject: string;
  readonly onBytes: (bytes: Uint8Array) => void;
  /** The connection it was subscribed on, if not refused since. */
  on: NatsConnectionLike | undefined;
  subscription: { unsubscribe(): void } | undefined;
  refusal: Error | undefined;
  /** `subscribe` has resolved: the transport relies on it. */
  live: boolean;
}

/**
 * Core NATS publish and subscribe over one connection, however many documents. When it closes there is a new one with the
 * same subscriptions. One that was handed in nats.js reconnects by itself, and says so before the server has them. In either
 * case a `PING` behind them tells when it has.
 */
export function createNatsDriver(link: NatsLink, subjects: Subjects): SyncDriver {
  const entries = new Map<string, Entry>();
  const closing = new AbortController();
  let nats: NatsConnectionLike | undefined;
  const state = createConnectionState({ name: NAME, failure: () => lastError });
  let lastError: unknown;
  let restoring = 0;
  let restoreTimer: ReturnType<typeof setTimeout> | undefined;
  let endStatus: (() => void) | undefined;
  const acknowledgements = createAcknowledgements(async () => {
    if (nats === undefined) throw new SyncError(NAME, "not connected yet", "wait for `up`");
    await nats.flush();
  });
  const aborted = new Promise<undefined>((resolve) => {
    closing.signal.addEventListener("abort", () => resolve(undefined));
  });

  function assertUp(what: string): NatsConnectionLike {
    state.assertUp(what);
    // One that reconnects by itself keeps what is sent meanwhile, to send it later. It has forgotten the old server's INFO
    // as soon as anything could be kept, which is before its status says `disconnect`.
    if (nats?.info !== undefined) return nats;
    throw new SyncError(NAME, `${what} without a connection`, "wait for `up`", lastError);
  }

  function lost(cause: unknown): void {
    restoring += 1;
    clearTimeout(restoreTimer);
    state.set({ state: "down", cause });
    acknowledgements.fail(cause);
  }

  function start(entry: Entry, on: NatsConnectionLike): void {
    entry.on = on;
    entry.refusal = undefined;
    entry.subscription = on.subscribe(entry.subject, {
      callback(error, message) {
        if (error !== null) {
          refused(entry, error);
          return;
        }
        const { buffer, byteOffset, length } = message.data;
        entry.onBytes(new Uint8Array(buffer, byteOffset, length));
      },
    });
  }

  /** The server does not allow the subscription, or no longer: nats.js has dropped it. */
  function refused(entry: Entry, error: Error): void {
    entry.on = undefined;
    entry.refusal = error;
    if (!entry.live) return;
    lost(error);
    restoreLater();
  }

  function restoreLater(): void {
    clearTimeout(restoreTimer);
    if (!state.closed) restoreTimer = setTimeout(() => void restore(), RESTORE_DELAY);
  }

  async function restore(): Promise<void> {
    const on = nats;
    if (on === undefined) return;
    restoring += 1;
    const attempt = restoring;
    try {
      for (const entry of entries.values()) if (entry.on !== on) start(entry, on);
      await on.flush();
    } catch (cause) {
      if (attempt === restoring) lost(cause);
      return;
    }
    if (attempt !== restoring || state.closed) return;
    lastError = undefined;
    state.set({ state: "up" });
  }

  function onStatus(on: NatsConnectionLike, status: Status): void {
    switch (status.type) {
      case "disconnect":
        lost(lastError ?? "the connection was closed");
        return;
      case "staleConnection":
        lost("the server does not answer");
        link.abandon(on);
        return;
      case "reconnect":
        void restore();
        return;
      case "error":
        if (isPermissionViolation(status.error)) {
          if (status.error.operation === "publish") {
            acknowledgements.refuse(status.error.subject, status.error);
          }
        } else {
          lastError = status.error;
        }
    }
  }

  async function follow(on: NatsConnectionLike): Promise<void> {
    const statuses = on.status();
    endStatus = () => statuses.stop?.();
    for await (const status of statuses) {
      if (state.closed || on !== nats) return;
      onStatus(on, status);
    }
  }

  /** Connects until it is connected, and again when the connection is closed. */
  async function maintain(): Promise<void> {
    while (!state.closed) {
      try {
        nats = await link.connect();
        if (state.closed) {
          await link.release(nats);
          return;
        }
        void follow(nats);
        void restore();
        const reason = await Promise.race([nats.closed(), aborted]);
        if (state.closed) return;
        lost(reason ?? lastError ?? "the connection was closed");
      } catch (cause) {
        lastError = cause;
        lost(cause);
      }
      const pause = link.retryDelay();
      if (pause === undefined || state.closed) return;
      // Rejects when it is aborted, which the loop looks for itself.
      await delay(pause, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  const maintaining = maintain();

  return {
    name: NAME,
    capabilities: {
      ordering: "channel",
      echo: link.echo,
      delivery: "at-most-once",
      recovery: "automatic",
      get maxPayload() {
        return Math.min(nats?.info?.max_payload ?? MAX_PAYLOAD, MAX_PAYLOAD);
      },
    },
    watch: state.watch,
    async publish(channel, bytes) {
      const on = assertUp("publish");
      const subject = entries.get(channel)?.subject ?? subjects.of(channel);
      const acknowledged = acknowledgements.nextPublish(subject, bytes.length);
      on.publish(subject, bytes);
      await acknowledged;
      return undefined;
    },
    async subscribe(channel, onBytes) {
      const on = assertUp("subscribe");
      const subject = subjects.of(channel);
      const entry: Entry = {
        subject,
        onBytes,
        on: undefined,
        subscription: undefined,
        refusal: undefined,
        live: false,
      };
      entries.set(channel, entry);
      try {
        const acknowledged = acknowledgements.next();
        start(entry, on);
        await acknowledged;
        if (entry.refusal) throw entry.refusal;
      } catch (cause) {
        entries.delete(channel);
        entry.subscription?.unsubscribe();
        throw cause;
      }
      entry.live = true;
      return async () => {
        entries.delete(channel);
        entry.live = false;
        entry.subscription?.unsubscribe();
        // Without a connection there is nothing to give up: only `entries` is restored.
        if (state.up) await acknowledgements.next().catch(() => {});
      };
    },
    reconnect() {
      if (nats === undefined) return;
      lost("nothing comes back from the server");
      link.abandon(nats);
    },
    async close() {
      const wasUp = state.up;
      state.close();
      closing.abort();
      clearTimeout(restoreTimer);
      for (const { subscription } of entries.values()) subscription?.unsubscribe();
      entries.clear();
      if (wasUp) {
        // Its answer says that the server has everything that was sent before.
        await atMost(CLOSE_TIMEOUT, Promise.race([acknowledgements.next(), nats?.closed()]));
      }
      acknowledgements.fail(new SyncError(NAME, "the driver is closed", "make a new factory"));
      endStatus?.();
      await link.release(nats);
      // What may still be under way is a name to be resolved, which nobody can call off.
      await atMost(CLOSE_TIMEOUT, maintaining);
    },
  };
}

/** Waits for `work` to settle, but not for ever, and keeps nothing alive. */
async function atMost(timeout: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work.catch(() => {}), delay(timeout, undefined, { ref: false })]);
}

function isPermissionViolation(error: Error): error is PermissionViolationError {
  return "operation" in error && "subject" in error;
}
