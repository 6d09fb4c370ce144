const schedule: (task: () => void) => void =
  typeof setImmediate === "function"
    ? (task) => void setImmediate(task)
    : (task) => void setTimeout(task, 0);

/** A document is flushed in the first pass, and what it has put into its outbox in the second. */
const PASSES = 2;

let tasks: (() => void)[] = [];
let running = false;

/**
 * Runs `task` once the current event-loop turn is over, so that all that arrives in one turn is handled together.
 * `setImmediate` runs right after the sockets were read; elsewhere than on Node, Bun and Deno a zero timer does.
 *
 * What such a task asks for in its turn is run behind it at once, as a further turn of the loop would cost more than
 * a keystroke's whole way; what that asks for waits for the next turn, so that the sockets are heard in between.
 */
export function afterTurn(task: () => void): void {
  tasks.push(task);
  if (tasks.length === 1 && !running) schedule(runTasks);
}

function runTasks(): void {
  running = true;
  for (let pass = 0; pass < PASSES && tasks.length > 0; pass++) {
    const due = tasks;
    tasks = [];
    for (const task of due) runTask(task);
  }
  running = false;
  if (tasks.length > 0) schedule(runTasks);
}

/** A task that throws is an uncaught exception, and takes none of the others with it. */
function runTask(task: () => void): void {
  try {
    task();
  } catch (error) {
    schedule(() => {
      throw error;
    });
  }
}

/**
 * Collects members during a turn and hands each of them to `flush` once, after it.
 *
 * @param around Runs what flushes all of them.
 */
export function createTurnBatch<Member>(
  flush: (member: Member) => void,
  around: (flushAll: () => void) => void = (flushAll) => flushAll(),
): { add(member: Member): void } {
  let members = new Set<Member>();
  let spare = new Set<Member>();

  function flushAll(): void {
    const due = members;
    members = spare;
    spare = due;
    try {
      around(() => {
        for (const member of due) flush(member);
      });
    } finally {
      due.clear();
    }
  }

  return {
    add(member) {
      if (members.size === 0) afterTurn(flushAll);
      members.add(member);
    },
  };
}
