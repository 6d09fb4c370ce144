import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { watchStandstill } from "./standstill.ts";

/** What the bench asks an instance. */
export type Question = "usage" | "watch" | "watched" | "collect-garbage" | "close";

/** What has gone to the broker so far. */
export interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

/** What an instance has used; times in microseconds, sizes in bytes. */
export interface Usage {
  readonly cpu: number;
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
  /** What it has published by its own count, if it counts. */
  readonly published?: Traffic;
}

export type Answer =
  | { readonly type: "listening"; readonly url: string }
  | { readonly type: "usage"; readonly usage: Usage }
  /** The longest time the event loop has stood still by its own doing since `watch`, in milliseconds. */
  | { readonly type: "watched"; readonly standstill: number }
  | { readonly type: "done" };

/** A server under measurement. */
export interface MeasuredServer {
  readonly url: string;
  close(): Promise<void>;
  published?(): Traffic;
}

/**
 * What finalizers let go is collected the second time, and V8 counts the buffers that a collection has freed only at the
 * next one.
 */
async function collectGarbage(): Promise<void> {
  for (let time = 0; time < 3; time++) {
    globalThis.gc?.();
    await setImmediate();
  }
}

/** Tells the bench where this process listens, and answers it from then on. */
export function answerBench(server: MeasuredServer): void {
  const send = (answer: Answer): void => void process.send?.(answer);
  // Only while it is asked for: by itself it takes a hundredth of a core.
  let endWatch: (() => number) | undefined;

  process.on("message", (question: Question) => {
    switch (question) {
      case "usage": {
        const { user, system } = process.cpuUsage();
        const { rss, heapUsed, external } = process.memoryUsage();
        const published = server.published?.();
        send({
          type: "usage",
          usage: {
            cpu: user + system,
            rss,
            heap: heapUsed,
            external,
            ...(published === undefined ? {} : { published }),
          },
        });
        return;
      }
      case "watch":
        endWatch?.();
        endWatch = watchStandstill();
        send({ type: "done" });
        return;
      case "watched":
        send({ type: "watched", standstill: endWatch?.() ?? 0 });
        endWatch = undefined;
        return;
      case "collect-garbage":
        void collectGarbage().then(() => send({ type: "done" }));
        return;
      case "close":
        void server.close().then(() => process.exit(0));
    }
  });
  process.on("disconnect", () => process.exit(0));
  send({ type: "listening", url: server.url });
}
