import process from "node:process";
import { ConformanceError } from "./check.ts";

/** What keeps the process alive, by kind, when this was made. */
export interface HandleCount {
  /** @throws ConformanceError if there is more than that within `patience` milliseconds. */
  expectReturned(patience: number): Promise<void>;
}

const INTERVAL = 10;

/** How often is counted at the start: what comes and goes, such as a test runner's timers, must not hide a leak. */
const SAMPLES = 20;

export async function countHandles(): Promise<HandleCount> {
  const before = count();
  for (let i = 0; i < SAMPLES; i++) {
    await pause();
    const now = count();
    for (const [kind, number] of before) before.set(kind, Math.min(number, now.get(kind) ?? 0));
  }

  return {
    async expectReturned(patience) {
      const deadline = performance.now() + patience;
      for (;;) {
        const left = surplus(before, count());
        if (left.length === 0) return;
        if (performance.now() > deadline) {
          throw new ConformanceError(`left open after the close: ${left.join(", ")}`);
        }
        // Sockets say that they are closed in a later turn.
        await pause();
      }
    },
  };
}

/** Its timer does not count: it is over before anything is counted. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, INTERVAL));
}

/** Anything but what a turn of the event loop brings and takes by itself. */
function count(): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind === "Immediate" || kind === "TickObject") continue;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return kinds;
}

function surplus(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): string[] {
  return [...now]
    .map(([kind, number]) => ({ kind, more: number - (before.get(kind) ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ kind, more }) => (more === 1 ? kind : `${more} × ${kind}`));
}
