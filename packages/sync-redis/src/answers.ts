import { SyncError } from "@teleportal/sync-core";
import { NAME } from "./driver-traits.ts";

/** The answer, if it comes within `deadline` milliseconds; else `silent` is called and it rejects. */
export function answerWithin<Answer>(
  deadline: number,
  answer: Promise<Answer>,
  silent: () => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const timer = setTimeout(() => {
      // This process may have stood still: what has arrived meanwhile is read before anyone is called silent.
      setImmediate(() => {
        if (settled) return;
        reject(new SyncError(NAME, `no answer for ${deadline} ms`, "see whether the node runs"));
        silent();
      });
    }, deadline);
    function settle(): void {
      settled = true;
      clearTimeout(timer);
    }
    answer.finally(settle).then(resolve, reject);
  });
}

/**
 * What has answered when all have, or a while after the first: one that is slow or gone does not hold up the rest.
 * Rejects with the last failure if none answers.
 *
 * @param patience in milliseconds
 */
export function firstAnswers<Answer>(
  patience: number,
  asked: readonly Promise<Answer>[],
): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const answers: Answer[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pending = asked.length;
    let failure: unknown;
    function settle(): void {
      pending -= 1;
      if (pending > 0) {
        if (answers.length > 0) timer ??= setTimeout(() => resolve([...answers]), patience);
        return;
      }
      clearTimeout(timer);
      if (answers.length > 0) resolve(answers);
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- whatever it was, it goes on
      else reject(failure);
    }
    for (const one of asked) {
      one
        .then(
          (answer) => void answers.push(answer),
          (error: unknown) => {
            failure = error;
          },
        )
        .finally(settle);
    }
  });
}

/** Waits until all have settled, but no longer than `timeout` milliseconds. */
export async function within(timeout: number, work: readonly unknown[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeout);
  });
  await Promise.race([Promise.allSettled(work), deadline]);
  clearTimeout(timer);
}
