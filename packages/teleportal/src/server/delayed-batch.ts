/** Collects members and hands each of them to `flush` once, `delay` milliseconds after the first: one timer for all. */
export interface DelayedBatch<Member> {
  add(member: Member): void;
  cancel(): void;
}

export function createDelayedBatch<Member>(
  delay: number,
  flush: (member: Member) => void,
): DelayedBatch<Member> {
  const members = new Set<Member>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flushAll(): void {
    timer = undefined;
    const due = [...members];
    members.clear();
    for (const member of due) flush(member);
  }

  return {
    add(member) {
      members.add(member);
      timer ??= setTimeout(flushAll, delay);
    },
    cancel() {
      clearTimeout(timer);
      timer = undefined;
      members.clear();
    },
  };
}
