/** How many tasks are under way at a time. */
const LIMIT = 64;

/** Runs `task` for each number below `count`, a limited number of them at a time. */
export async function eachInFlight(
  count: number,
  task: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(LIMIT, count) }, async () => {
      while (next < count) await task(next++);
    }),
  );
}
