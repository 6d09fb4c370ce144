import process from "node:process";
import { setTimeout } from "node:timers/promises";

// Loaded before the command of a server process, which runs with `--expose-gc`: on SIGUSR2 it collects what is garbage and
// prints what is left.

let reports = 0;

process.on("SIGUSR2", () => void report());

async function report(): Promise<void> {
  // More than once, with turns between: what is backed by external memory is given back after its collection.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await setTimeout(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`held ${reports++}: ${heapUsed + external}\n`);
}
