import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const MODULE = fileURLToPath(new URL("allocated.ts", import.meta.url));

/**
 * What a keystroke may allocate, and a quiet document hold, in bytes; about a third above what it does on Node 20. What is allocated has to be collected: of all that a
 * keystroke costs, this is what can be counted and not only timed.
 */
const BUDGET = {
  /** A document that one client has open: its parts, and the connection without its socket. */
  quiet: 11_000,
  /** An envelope, and what is read of it. */
  wire: 2400,
  /** Reading an update, keeping it, and gathering it with others. */
  history: 2300,
  /** From a client's frame at one instance to a client's frame at the other: reading it twice, storing it twice. */
  instances: 17_000,
};

it(
  "a keystroke allocates no more than its budget, and a quiet document holds no more",
  { timeout: 120_000 },
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      // Nothing is collected while it is counted.
      "--min-semi-space-size=512",
      "--max-semi-space-size=512",
      "--import=tsx",
      "--conditions=@teleportal/source",
      MODULE,
    ]);
    const allocated = JSON.parse(stdout) as Record<keyof typeof BUDGET, number>;
    for (const [what, budget] of Object.entries(BUDGET)) {
      const bytes = allocated[what as keyof typeof BUDGET];
      // Less than nothing would mean that something was collected.
      expect(bytes, what).toBeGreaterThan(budget / 10);
      expect(bytes, what).toBeLessThan(budget);
    }
  },
);
