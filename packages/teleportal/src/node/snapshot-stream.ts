import type { ServerResponse } from "node:http";
import type { InstanceSnapshot } from "../operations/snapshot.ts";

/** How often the numbers are looked at while somebody watches, in milliseconds. */
const INTERVAL = 200;

/** Somebody who does not read is sent nothing more from so many bytes on. */
const BUFFERED_BYTES = 64 * 1024;

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // Proxies that collect responses would hold the events back.
  "x-accel-buffering": "no",
};

/** Sends snapshots as server-sent events to all who watch, when something but the time has changed. */
export class SnapshotStream {
  readonly #take: () => InstanceSnapshot;
  readonly #watchers = new Set<ServerResponse>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #last = "";
  #closed = false;

  constructor(take: () => InstanceSnapshot) {
    this.#take = take;
  }

  /** Ends the response with what it would begin with. */
  describe(response: ServerResponse): void {
    response.writeHead(200, HEADERS).end();
  }

  add(watcher: ServerResponse): void {
    if (this.#closed) {
      this.describe(watcher);
      return;
    }
    watcher.writeHead(200, HEADERS);
    watcher.write(event(this.#take()));
    this.#watchers.add(watcher);
    watcher.on("close", () => this.#remove(watcher));
    watcher.on("error", () => this.#remove(watcher));
    this.#timer ??= setInterval(() => this.#look(), INTERVAL).unref();
  }

  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #remove(watcher: ServerResponse): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const snapshot = this.#take();
    const numbers = JSON.stringify({ ...snapshot, uptime: 0 });
    if (numbers === this.#last) return;
    this.#last = numbers;
    for (const watcher of this.#watchers) {
      if (watcher.writableLength < BUFFERED_BYTES) watcher.write(event(snapshot));
    }
  }
}

function event(snapshot: InstanceSnapshot): string {
  return `data: ${JSON.stringify(snapshot)}\n\n`;
}
