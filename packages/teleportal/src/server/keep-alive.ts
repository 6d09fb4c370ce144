/** What is kept alive. */
export interface KeptAlive {
  keepAlive(): void;
}

/**
 * How long a connection goes without a sign from the server, in milliseconds. A y-websocket client takes one for dead after
 * 30 s without a message, and WebSocket pings are none to it.
 */
const PERIOD = 24_000;

/**
 * Into how many shares the connections are dealt, so that never all of them are written to at once. Few, as most of what a
 * write costs a process that is idle is waking it up: in one go with four hundred others it is half of what it is with ten.
 */
const SHARES = 24;

/** From one share to the next, in milliseconds. */
const STEP = PERIOD / SHARES;

/** Those that are written to in the same moment, and the next to be. */
export class Share {
  readonly members = new Set<KeptAlive>();
  next: Share = this;
}

function createRing(length: number): Share {
  const last = new Share();
  for (let i = 1; i < length; i++) {
    const share = new Share();
    share.next = last.next;
    last.next = share;
  }
  return last;
}

/**
 * Keeps each connection alive once in {@link PERIOD}, with one timer for all that runs while there are any. However they come,
 * they are dealt out evenly: when another instance goes, its crowd comes within a second.
 */
export class KeepAlive {
  #due = createRing(SHARES);
  #dealt = this.#due;
  #size = 0;
  #dueAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** The share that the next connection is to be added to. */
  deal(): Share {
    this.#dealt = this.#dealt.next;
    return this.#dealt;
  }

  add(connection: KeptAlive, share: Share): void {
    share.members.add(connection);
    this.#size += 1;
    if (this.#timer !== undefined) return;
    this.#dueAt = performance.now() + STEP;
    this.#timer = setInterval(() => this.#keepAlive(), STEP);
  }

  /** All shares that are due: on a busy machine an interval comes late each time, and that adds up to what clients wait for. */
  #keepAlive(): void {
    const now = performance.now();
    for (let i = 0; i < SHARES && this.#dueAt <= now; i++) {
      this.#dueAt += STEP;
      this.#due = this.#due.next;
      for (const each of this.#due.members) each.keepAlive();
    }
    // This process stood still for longer than that; everybody was written to.
    if (this.#dueAt <= now) this.#dueAt = now + STEP;
  }

  delete(connection: KeptAlive, share: Share): void {
    if (!share.members.delete(connection)) return;
    this.#size -= 1;
    if (this.#size === 0) this.stop();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
