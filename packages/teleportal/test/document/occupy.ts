import type { BackgroundWork, Steps } from "../../src/document/background-work.ts";

/** Keeps `background` busy until the returned function is called. */
export function occupy(background: BackgroundWork): () => Promise<void> {
  const work = { busy: true };
  function* steps(): Steps<void> {
    while (work.busy) yield;
  }
  const done = background.run(steps());
  return () => {
    work.busy = false;
    return done;
  };
}
