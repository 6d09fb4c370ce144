import { BrokerError } from "./broker-error.ts";

const INTERVAL = 30;

/** Asks until the answer is yes. @throws BrokerError that says `failure` after `timeout` milliseconds. */
export async function settles(
  failure: string,
  timeout: number,
  ask: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      if (await ask()) return;
      cause = undefined;
    } catch (error) {
      // A node that is just now dying or coming up is asked again; the last error is told.
      cause = error;
    }
    if (Date.now() > deadline) {
      throw new BrokerError(`${failure} within ${timeout} ms`, "see whether its nodes run", cause);
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
