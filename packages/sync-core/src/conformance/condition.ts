import { ConformanceError } from "./check.ts";

/** Waits for what is to become true, without asking again and again. */
export interface Condition {
  /** Something has happened: those who wait look again. */
  changed(): void;
  /** @throws ConformanceError with `otherwise` if it does not hold within the patience. */
  until(holds: () => boolean, otherwise: () => string): Promise<void>;
}

export function createCondition(patience: number): Condition {
  const looks = new Set<() => void>();

  return {
    changed() {
      for (const look of looks) look();
    },
    until(holds, otherwise) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          looks.delete(look);
          reject(new ConformanceError(`${otherwise()} (waited ${patience} ms)`));
        }, patience);
        const look = (): void => {
          if (!holds()) return;
          looks.delete(look);
          clearTimeout(timer);
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
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new ConformanceError(`${otherwise} (waited ${patience} ms)`)),
      patience,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
