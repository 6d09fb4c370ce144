import type { DriverConnection } from "../contract/driver.ts";
import { SyncError } from "../sync-error.ts";

/**
 * What a driver says of its connection, as the contract of `SyncDriver.watch` has it: for drivers to be made with.
 * The first state is said once the first attempt to connect has ended, and a state is said once.
 */
export interface ConnectionState {
  /** Whether the driver has said `up`, and has not been closed. */
  readonly up: boolean;
  readonly closed: boolean;
  /** To be the driver's own. */
  watch(listener: (connection: DriverConnection) => void): void;
  /** A `down` that only has another cause is not said again. Without effect after `close`. */
  set(connection: DriverConnection): void;
  /**
   * For `publish` and `subscribe` to begin with.
   *
   * @throws SyncError that names `what`, unless the connection is up.
   */
  assertUp(what: string): void;
  /** Nothing is said from now on. */
  close(): void;
}

export interface ConnectionStateOptions {
  /** The driver's, for error messages. */
  readonly name: string;
  /**
   * After how many milliseconds an unanswered first attempt is called `down`; it may go on.
   * @default 2000
   */
  readonly firstContactTimeout?: number;
  /** What has gone wrong so far, to be the cause of that `down`. */
  readonly failure?: () => unknown;
}

const FIRST_CONTACT_TIMEOUT = 2000;

export function createConnectionState(options: ConnectionStateOptions): ConnectionState {
  const { name, firstContactTimeout = FIRST_CONTACT_TIMEOUT, failure } = options;
  let listener: ((connection: DriverConnection) => void) | undefined;
  let connection: DriverConnection | undefined;
  let closed = false;
  const timer = setTimeout(
    () => set({ state: "down", cause: failure?.() ?? "no answer yet" }),
    firstContactTimeout,
  );

  function set(next: DriverConnection): void {
    if (closed) return;
    clearTimeout(timer);
    const changed = connection?.state !== next.state;
    connection = next;
    if (changed) listener?.(next);
  }

  return {
    get up() {
      return connection?.state === "up" && !closed;
    },
    get closed() {
      return closed;
    },
    watch(onChange) {
      listener = onChange;
      if (connection !== undefined) onChange(connection);
    },
    set,
    assertUp(what) {
      if (closed) throw new SyncError(name, `${what} after close`, "make a new factory");
      if (connection?.state === "up") return;
      const cause = connection?.cause ?? failure?.() ?? "not connected yet";
      throw new SyncError(name, `${what} without a connection`, "wait for `up`", cause);
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
