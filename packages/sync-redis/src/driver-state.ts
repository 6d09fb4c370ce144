import { SyncError } from "@teleportal/sync-core";
import type { DriverConnection, SyncDriver } from "@teleportal/sync-core";
import { FIRST_CONTACT_TIMEOUT, NAME } from "./driver-traits.ts";

/** A driver, and when its first attempt to connect has ended one way or the other. */
export interface RedisDriver extends SyncDriver {
  readonly firstContact: Promise<void>;
}

/** What a driver says of its connection, and what may be asked of it meanwhile. */
export interface DriverState {
  readonly up: boolean;
  readonly closed: boolean;
  /** Settles when the first attempt to connect has ended one way or the other. */
  readonly firstContact: Promise<void>;
  watch(listener: (connection: DriverConnection) => void): void;
  /** A `down` that only has another cause is not said again. */
  set(connection: DriverConnection): void;
  /** @throws SyncError unless the connection is up. */
  assertUp(what: string): void;
  /** Nothing is said from now on. */
  close(): void;
}

/** `failure` tells what has gone wrong so far, for the case that nothing is known when patience ends. */
export function createDriverState(failure: () => unknown): DriverState {
  let listener: ((connection: DriverConnection) => void) | undefined;
  let connection: DriverConnection = { state: "down", cause: "not connected yet" };
  let known = false;
  let closed = false;
  let settleFirstContact: () => void;
  const firstContact = new Promise<void>((resolve) => {
    settleFirstContact = resolve;
  });
  const timer = setTimeout(
    () => set({ state: "down", cause: failure() ?? "no answer yet" }),
    FIRST_CONTACT_TIMEOUT,
  );

  function set(next: DriverConnection): void {
    if (closed) return;
    clearTimeout(timer);
    const changed = !known || connection.state !== next.state;
    connection = next;
    known = true;
    settleFirstContact();
    if (changed) listener?.(next);
  }

  return {
    get up() {
      return connection.state === "up" && !closed;
    },
    get closed() {
      return closed;
    },
    firstContact,
    watch(onChange) {
      listener = onChange;
      if (known) onChange(connection);
    },
    set,
    assertUp(what) {
      if (closed) {
        throw new SyncError(NAME, `${what} after close`, "make a new factory");
      }
      if (connection.state === "down") {
        throw new SyncError(
          NAME,
          `${what} without a connection`,
          "wait for `up`",
          connection.cause,
        );
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
      settleFirstContact();
    },
  };
}
