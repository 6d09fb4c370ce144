/**
 * Runs `task` once the current event-loop turn is over, so that all that arrives in one turn is handled together.
 * `setImmediate` runs right after the sockets were read; elsewhere than on Node, Bun and Deno a zero timer does.
 */
export const afterTurn: (task: () => void) => void =
  typeof setImmediate === "function"
    ? (task) => void setImmediate(task)
    : (task) => void setTimeout(task, 0);

/** Collects members during a turn and hands each of them to `flush` once, after it. */
export function createTurnBatch<Member>(flush: (member: Member) => void): {
  add(member: Member): void;
} {
  let members = new Set<Member>();
  return {
    add(member) {
      if (members.size === 0) {
        afterTurn(() => {
          const due = members;
          members = new Set();
          for (const dueMember of due) flush(dueMember);
        });
      }
      members.add(member);
    },
  };
}
