import { afterTurn } from "@teleportal/sync-core";

/**
 * The server's word that it has taken what was sent. Core NATS answers no single publish; but it handles what a client
 * sends in order, so the `PONG` to a `PING` behind them answers all of them. One `PING` per event-loop turn in which
 * something was sent, whatever the number of documents.
 */
export interface Acknowledgements {
  /**
   * For what is sent next in the same turn: the `PING` then leaves in one write with it. Rejects when the connection
   * is lost, or when the server refuses a publish to `subject`, if one is given.
   */
  next(subject?: string): Promise<void>;
  /** The server refuses a publish to that subject. */
  refuse(subject: string, cause: unknown): void;
  /** The connection is lost: what it had not answered counts as not taken. */
  fail(cause: unknown): void;
}

interface Waiting {
  resolve(): void;
  reject(cause: unknown): void;
}

interface Turn {
  /** What waits for an answer, per subject. */
  readonly waiting: Map<string | undefined, Waiting[]>;
}

export function createAcknowledgements(flush: () => Promise<void>): Acknowledgements {
  /** Those not answered yet, oldest first. */
  const turns = new Set<Turn>();
  let current: Turn | undefined;

  function settle(turn: Turn, settleOne: (one: Waiting) => void): void {
    if (!turns.delete(turn)) return;
    for (const waiting of turn.waiting.values()) waiting.forEach(settleOne);
  }

  async function ask(turn: Turn): Promise<void> {
    if (current === turn) current = undefined;
    try {
      await flush();
    } catch (cause) {
      settle(turn, ({ reject }) => reject(cause));
      return;
    }
    // The refusals that came before the answer are told through an async iterator, some microtasks later.
    afterTurn(() => settle(turn, ({ resolve }) => resolve()));
  }

  return {
    next(subject) {
      let turn = current;
      if (turn === undefined) {
        turn = current = { waiting: new Map() };
        turns.add(turn);
        const asked = turn;
        queueMicrotask(() => void ask(asked));
      }
      const { waiting } = turn;
      const answered = new Promise<void>((resolve, reject) => {
        const same = waiting.get(subject);
        if (same === undefined) waiting.set(subject, [{ resolve, reject }]);
        else same.push({ resolve, reject });
      });
      // Nobody waits for it when the sending itself has failed.
      answered.catch(() => {});
      return answered;
    },
    refuse(subject, cause) {
      for (const { waiting } of turns) {
        const refused = waiting.get(subject);
        if (refused === undefined) continue;
        waiting.delete(subject);
        for (const { reject } of refused) reject(cause);
        return;
      }
    },
    fail(cause) {
      current = undefined;
      for (const turn of turns) settle(turn, ({ reject }) => reject(cause));
    },
  };
}
