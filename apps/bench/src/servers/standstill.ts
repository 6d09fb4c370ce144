import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";

/** How long this thread has waited for a processor, in milliseconds; 0 where the system does not say (Linux does). */
function waitedForProcessor(): number {
  try {
    // The kernel's Documentation/scheduler/sched-stats.rst: time on the processor, time waiting for one, in nanoseconds.
    const [, waited] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
    return Number(waited) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * Watches for how long the event loop stands still by its own doing: what other processes have of the processor is left
 * out, or on a busy machine it would be all that is seen. Begins at once; the function that it returns ends it, and
 * returns the longest, in milliseconds.
 */
export function watchStandstill(): () => number {
  let longest = 0;
  let at = performance.now();
  let waited = waitedForProcessor();
  const timer = setInterval(() => {
    const now = performance.now();
    const waitedNow = waitedForProcessor();
    longest = Math.max(longest, now - at - (waitedNow - waited));
    at = now;
    waited = waitedNow;
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
}
