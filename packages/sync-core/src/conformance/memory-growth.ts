import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "./expectation.ts";

/** Rounds after which caches and compiled code have their size. */
const WARM_UP = 3;

/** The least growth of so many rounds counts: a leak shows in each of them, noise does not. */
const MEASURED = 4;

/** @throws ConformanceError if each run of `round` leaves more than `bytes` behind. */
export async function expectFlatMemory(bytes: number, round: () => Promise<void>): Promise<void> {
  for (let i = 0; i < WARM_UP; i++) await round();
  let least = Number.POSITIVE_INFINITY;
  let before = await memoryInUse();
  for (let i = 0; i < MEASURED && least > bytes; i++) {
    await round();
    const after = await memoryInUse();
    least = Math.min(least, after - before);
    before = after;
  }
  expect(least <= bytes, `each round left ${least} bytes behind; ${bytes} are allowed`);
}

/**
 * The first may end a marking that began while more was in use, and leave what has been let go since; the second
 * finds that; but the buffers it frees are swept on another thread, and counted by the third.
 */
const COLLECTIONS = 3;

/** Bytes that are still reachable, buffers included. */
export async function memoryInUse(): Promise<number> {
  for (let i = 0; i < COLLECTIONS; i++) {
    // Finalizers and closed sockets let go in a turn of their own.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

let collector: (() => void) | undefined;

function collectGarbage(): void {
  if (collector === undefined) {
    // The flag gives new contexts a `gc`, so that nobody has to start the process with it.
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as () => void;
  }
  collector();
}
