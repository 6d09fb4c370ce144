import * as Y from "yjs";
import type { EditingSession } from "../session/editing-session.ts";

/**
 * How many of a session's keystrokes a reader holds. Counted by what the updates carry and not by the updates, as
 * some servers send several keystrokes as one, or one twice.
 */
export interface Progress {
  readonly count: number;
  take(update: Uint8Array): void;
}

export function createProgress({ client, keystrokes }: EditingSession): Progress {
  const deleted = new Set<number>();
  let clock = 0;
  let count = 0;

  return {
    get count() {
      return count;
    },
    take(update) {
      const { structs, ds } = Y.decodeUpdate(update);
      for (const struct of structs) {
        if (struct.id.client !== client) continue;
        clock = Math.max(clock, struct.id.clock + struct.length);
      }
      for (const { clock: start, len } of ds.clients.get(client) ?? []) {
        for (let i = start; i < start + len; i++) deleted.add(i);
      }
      for (let next = keystrokes[count]; next !== undefined; next = keystrokes[count]) {
        if (next.clock > clock || next.deleted > deleted.size) break;
        count += 1;
      }
    },
  };
}
