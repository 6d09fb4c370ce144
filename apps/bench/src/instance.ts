import { startAskedProcess } from "./asked-process.ts";
import type { Answer, Question, Usage } from "./servers/instance-control.ts";

/** A server process of a contender. */
export interface Instance {
  readonly url: string;
  usage(): Promise<Usage>;
  /** How long the event loop stands still at most while that is done, in milliseconds. */
  standstill(during: () => Promise<unknown>): Promise<number>;
  collectGarbage(): Promise<void>;
  close(): Promise<void>;
}

/** `node`: the binary that runs it; `server`: a file of `servers/`, which finds its broker's URL in BENCH_BROKER. */
export async function startInstance(
  node: string,
  server: string,
  broker: string,
): Promise<Instance> {
  const started = await startAskedProcess<Question, Answer>({
    node,
    file: `servers/${server}.ts`,
    env: { BENCH_BROKER: broker },
  });
  if (started.ready.type !== "listening") {
    throw new Error(`[bench] ${server} did not listen: it has to call answerBench first`);
  }
  return {
    url: started.ready.url,
    async usage() {
      const answer = await started.ask("usage");
      if (answer.type !== "usage") throw new Error(`[bench] ${server} did not tell its usage`);
      return answer.usage;
    },
    async standstill(during) {
      await started.ask("watch");
      await during();
      const answer = await started.ask("watched");
      if (answer.type !== "watched") throw new Error(`[bench] ${server} did not watch itself`);
      return answer.standstill;
    },
    async collectGarbage() {
      await started.ask("collect-garbage");
    },
    close: () => started.end("close"),
  };
}
