/** `[test-brokers] what failed: what to do`. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";

  constructor(failure: string, remedy: string, cause?: unknown) {
    super(`[test-brokers] ${failure}: ${remedy}`, cause === undefined ? undefined : { cause });
  }
}
