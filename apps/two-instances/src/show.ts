import type { Typist } from "./typist.ts";

/** Each keystroke at one end is timed to the other end; then both type at once. */
const KEYSTROKES = 200;

/** How long the other side may take before the show is over, in milliseconds. */
const PATIENCE = 10_000;

export interface Shown {
  /** Milliseconds from a keystroke at one end to its appearance at the other. */
  readonly median: number;
  readonly slowest: number;
  readonly keystrokes: number;
  readonly characters: number;
  readonly equal: boolean;
}

export async function show(ada: Typist, ben: Typist): Promise<Shown> {
  await patiently("the first sync", Promise.all([ada.synced, ben.synced]));
  const times: number[] = [];
  let length = ada.text.length;
  for (let i = 0; i < KEYSTROKES; i++) {
    const [from, to] = i % 2 === 0 ? [ada, ben] : [ben, ada];
    const started = performance.now();
    from.type(i % 2 === 0 ? "a" : "b");
    length += 1;
    await patiently(`keystroke ${i + 1}`, to.until(length));
    times.push(performance.now() - started);
  }
  for (let i = 0; i < KEYSTROKES / 2; i++) {
    ada.type("A");
    ben.type("B");
    length += 2;
    // A turn of the event loop each, as fast typing would be at best.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await patiently("typing at once", Promise.all([ada.until(length), ben.until(length)]));
  times.sort((a, b) => a - b);
  return {
    median: times[Math.floor(times.length / 2)] ?? Number.NaN,
    slowest: times.at(-1) ?? Number.NaN,
    keystrokes: KEYSTROKES * 2,
    characters: length,
    equal: ada.text.toString() === ben.text.toString(),
  };
}

async function patiently<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} did not reach the other side within ${PATIENCE} ms`)),
      PATIENCE,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
