import { afterTurn } from "@teleportal/sync-core";

/**
 * Collects members and hands each of them to `flush` once, `delay` milliseconds after the first or a little later: one timer
 * for all, and so many at once before the event loop may turn, as thousands would keep everybody's keystrokes waiting.
 */
export interface DelayedBatch<Member> {
  add(member: Member): void;
  cancel(): void;
}

export function createDelayedBatch<Member>(
  delay: number,
  atOnce: number,
  flush: (member: Member) => void,
): DelayedBatch<Member> {
  let members = new Set<Member>();
  /** Those whose time has come. */
  let due: Iterator<Member> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function begin(): void {
    timer = undefined;
    due = members.values();
    members = new Set();
    flushSome();
  }

  function flushSome(): void {
    try {
      for (let i = 0; i < atOnce; i++) {
        const next = due?.next();
        if (next === undefined) return;
        if (next.done === true) {
          due = undefined;
          wait();
          return;
        }
        flush(next.value);
      }
    } finally {
      // Also behind one that has thrown.
      if (due !== undefined) afterTurn(flushSome);
    }
  }

  function wait(): void {
    if (members.size > 0) timer ??= setTimeout(begin, delay);
  }

  return {
    add(member) {
      members.add(member);
      if (due === undefined) wait();
    },
    cancel() {
      clearTimeout(timer);
      timer = undefined;
      due = undefined;
      members.clear();
    },
  };
}
