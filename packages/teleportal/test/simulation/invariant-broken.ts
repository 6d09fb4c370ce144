/** The promises a simulation holds the engine to. */
export type Invariant =
  | "no keystroke is lost"
  | "nobody holds what nobody wrote"
  | "one edit, one message"
  | "repairs are bounded"
  | "the offline queue is bounded"
  | "a quiet document is silent"
  | "a download is seen as a whole"
  | "a diff is applied by its addressee only";

export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken";
  readonly invariant: Invariant;
  readonly what: string;

  constructor(invariant: Invariant, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
    this.what = what;
  }
}
