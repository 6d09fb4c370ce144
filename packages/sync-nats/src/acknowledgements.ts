import { afterTurn } from "@teleportal/sync-core";

/**
 * While more is published soon after, publishes are answered for together, so many milliseconds after the last answer was
 * asked for: each costs as much as receiving a message, and nobody waits for it but the accounting. The `PING` leaves in one
 * write with the publish that comes next after that; a timer asks when none comes.
 */
const SPACING = 10;

/** So many publishes do not wait for one another: what waits long is what garbage collection costs most. */
const PROMPT_PUBLISHES = 32;

/** So many bytes are not kept waiting: what is sent in parts waits for the part before. */
const PROMPT_BYTES = 64 * 1024;

/**
 * The server's word that it has taken what was sent. Core NATS answers no single publish; but it handles what a client
 * sends in order, so the `PONG` to a `PING` behind them answers all of them, whatever the number of documents.
 */
export interface Acknowledgements {
  /** For a subscription or its end, which is sent next in the same turn: the `PING` leaves in one write with it. */
  next(): Promise<void>;
  /** For so many bytes that are published next in the same turn. Rejects also when the server refuses them. */
  nextPublish(subject: string, bytes: number): Promise<void>;
  /** The server refuses a publish to that subject. */
  refuse(subject: string, cause: unknown): void;
  /** The connection is lost: what it had not answered counts as not taken. */
  fail(cause: unknown): void;
}

interface Waiting {
  resolve(): void;
  reject(cause: unknown): void;
}

/** What one `PING` is for. */
interface Question {
  /** What waits for an answer, per subject. */
  readonly waiting: Map<string | undefined, Waiting[]>;
  publishes: number;
  bytes: number;
  /** Asked at the end of this turn, not by the timer. */
  prompt: boolean;
}

/** `flush` sends a `PING` and resolves with its `PONG`. It may never settle when the connection is lost, of which `fail` tells. */
export function createAcknowledgements(flush: () => Promise<void>): Acknowledgements {
  /** Those not answered yet, oldest first. */
  const questions = new Set<Question>();
  let current: Question | undefined;
  let askedAt = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function settle(question: Question, settleOne: (one: Waiting) => void): void {
    if (!questions.delete(question)) return;
    for (const waiting of question.waiting.values()) waiting.forEach(settleOne);
  }

  /** What comes from now on is for the next `PING`. */
  function end(): Question | undefined {
    const ended = current;
    current = undefined;
    clearTimeout(timer);
    timer = undefined;
    return ended;
  }

  async function ask(): Promise<void> {
    const question = end();
    if (question === undefined) return;
    askedAt = performance.now();
    try {
      await flush();
    } catch (cause) {
      settle(question, ({ reject }) => reject(cause));
      return;
    }
    // The refusals that came before the answer are told through an async iterator, some microtasks later.
    afterTurn(() => settle(question, ({ resolve }) => resolve()));
  }

  function open(): Question {
    const question: Question = { waiting: new Map(), publishes: 0, bytes: 0, prompt: false };
    questions.add(question);
    return question;
  }

  function isDue({ publishes, bytes }: Question): boolean {
    return (
      publishes >= PROMPT_PUBLISHES ||
      bytes > PROMPT_BYTES ||
      performance.now() - askedAt >= SPACING
    );
  }

  function askAfterTurn(question: Question): void {
    if (question.prompt) return;
    question.prompt = true;
    queueMicrotask(() => void ask());
  }

  function answerTo(question: Question, subject: string | undefined): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      const same = question.waiting.get(subject);
      if (same === undefined) question.waiting.set(subject, [{ resolve, reject }]);
      else same.push({ resolve, reject });
    });
    // Nobody waits for it when the sending itself has failed.
    answered.catch(() => {});
    return answered;
  }

  return {
    next() {
      current ??= open();
      askAfterTurn(current);
      return answerTo(current, undefined);
    },
    nextPublish(subject, bytes) {
      current ??= open();
      current.publishes += 1;
      current.bytes += bytes;
      if (!current.prompt) {
        if (isDue(current)) askAfterTurn(current);
        else timer ??= setTimeout(() => void ask(), SPACING);
      }
      return answerTo(current, subject);
    },
    refuse(subject, cause) {
      for (const { waiting } of questions) {
        const refused = waiting.get(subject);
        if (refused === undefined) continue;
        waiting.delete(subject);
        for (const { reject } of refused) reject(cause);
        return;
      }
    },
    fail(cause) {
      end();
      for (const question of questions) settle(question, ({ reject }) => reject(cause));
    },
  };
}
