import process from "node:process";
import { describeCause } from "../sync-error.ts";
import { ConformanceError } from "./check.ts";

export interface StrayErrorGuard {
  /** Rejects with the first such error, or as `start` does. */
  during(start: () => Promise<void>): Promise<void>;
  end(): void;
}

/**
 * An error that nobody catches fails the check during which it comes up, or the next one if it comes between two,
 * instead of ending the process.
 */
export function guardAgainstStrayErrors(): StrayErrorGuard {
  const unreported: unknown[] = [];
  let report: ((cause: unknown) => void) | undefined;
  const take = (cause: unknown): void => {
    if (report === undefined) unreported.push(cause);
    else report(cause);
  };
  process.on("uncaughtException", take);
  process.on("unhandledRejection", take);

  return {
    async during(start: () => Promise<void>): Promise<void> {
      const stray = new Promise<never>((_resolve, reject) => {
        report = (cause) => {
          const text = `an error was thrown where nobody catches it: ${describeCause(cause)}`;
          reject(new ConformanceError(text, { cause }));
        };
      });
      for (const cause of unreported.splice(0)) report?.(cause);
      const running = start();
      try {
        await Promise.race([running, stray]);
      } finally {
        // Checks share a link: the next must not begin before this one has ended. How it ends is known already.
        await running.catch(() => {});
        report = undefined;
      }
    },
    end() {
      process.off("uncaughtException", take);
      process.off("unhandledRejection", take);
    },
  };
}
