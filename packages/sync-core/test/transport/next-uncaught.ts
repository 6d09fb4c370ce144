import process from "node:process";
import { onTestFinished } from "vitest";

/** The next error that nobody catches. Until the end of the test it is not one of the test runner's. */
export function nextUncaught(): Promise<unknown> {
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  return new Promise((resolve) => process.once("uncaughtException", resolve));
}
