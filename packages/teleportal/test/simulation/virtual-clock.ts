export interface VirtualTimer {
  readonly time: number;
  cancel(): void;
}

/** Time that passes only from one event to the next. Events at the same time run in the order they were set. */
export interface VirtualClock {
  /** In milliseconds. */
  readonly now: number;
  /** Whether nothing is going to happen any more. */
  readonly idle: boolean;
  /** Runs `task` at `time`, or as the next but those already set for now if that has passed. */
  at(time: number, task: () => void): VirtualTimer;
  /** Runs all that is due up to and including `time`. */
  runUntil(time: number): void;
}

interface Entry extends VirtualTimer {
  readonly order: number;
  task: (() => void) | undefined;
}

export function createVirtualClock(): VirtualClock {
  /** A binary heap (Williams, 1964): the earliest entry is the first. */
  const heap: Entry[] = [];
  let now = 0;
  let order = 0;

  function before(a: Entry, b: Entry): boolean {
    return a.time < b.time || (a.time === b.time && a.order < b.order);
  }

  function push(entry: Entry): void {
    let index = heap.length;
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || before(parent, entry)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  function pop(): void {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = index * 2 + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (before(last, child)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }

  /** The next entry that was not cancelled. */
  function first(): Entry | undefined {
    for (;;) {
      const entry = heap[0];
      if (entry === undefined || entry.task !== undefined) return entry;
      pop();
    }
  }

  return {
    get now() {
      return now;
    },
    get idle() {
      return first() === undefined;
    },
    at(time, task) {
      const entry: Entry = {
        time: Math.max(time, now),
        order: order++,
        task,
        cancel() {
          entry.task = undefined;
        },
      };
      push(entry);
      return entry;
    },
    runUntil(time) {
      for (;;) {
        const entry = first();
        if (entry === undefined || entry.time > time) break;
        pop();
        now = entry.time;
        entry.task?.();
      }
      now = Math.max(now, time);
    },
  };
}
