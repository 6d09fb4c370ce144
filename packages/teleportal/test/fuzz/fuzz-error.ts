/** Broken bytes have had an effect that they must not have. */
export class FuzzError extends Error {
  override readonly name = "FuzzError";
}

/** @throws FuzzError unless it holds */
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new FuzzError(otherwise);
}
