import { ConformanceError } from "./check.ts";

/** Waits for what is to become true, without asking again and again. */
export interface Condition {
  /** Something has happened: those who wait look again. */
  changed(): void;
  /** @throws ConformanceError with `otherwise` if it does not hold within the patience. */
  until(holds: () => boolean, otherwise: () => string): Promise<void>;
}

/** A wait is counted in as many steps. */
const STEPS = 50;

/**
 * Calls `late` after `patience` milliseconds, unless the function that it returns has been called before. Only the time in which this
 * process could run is counted: on a machine that has no time for it, an adapter is not to blame.
 */
function outlast(patience: number, late: () => void): () => void {
  let left = STEPS;
  // A step that comes late counts once.
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    late();
  }, patience / STEPS);
  return () => clearInterval(timer);
}

export function createCondition(patience: number): Condition {
  const looks = new Set<() => void>();

  return {
    changed() {
      for (const look of looks) look();
    },
    until(holds, otherwise) {
      return new Promise((resolve, reject) => {
        const cancel = outlast(patience, () => {
          looks.delete(look);
          reject(new ConformanceError(`${otherwise()} (waited ${patience} ms)`));
        });
        const look = (): void => {
          if (!holds()) return;
          looks.delete(look);
          cancel();
          resolve();
        };
        looks.add(look);
        look();
      });
    },
  };
}

/** @throws ConformanceError with `otherwise` if `work` has not settled within the patience. */
export async function settles<Value>(
  work: Promise<Value>,
  patience: number,
  otherwise: string,
): Promise<Value> {
  let cancel = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    cancel = outlast(patience, () => {
      reject(new ConformanceError(`${otherwise} (waited ${patience} ms)`));
    });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
