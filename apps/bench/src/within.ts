import { setTimeout as wait } from "node:timers/promises";

/** Rejects when the work has not ended after so many milliseconds; it goes on unheard. */
export async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  const patience = new AbortController();
  const late = wait(milliseconds, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`[bench] not done after ${milliseconds / 1000} s`);
  });
  late.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    patience.abort();
  }
}
