import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** How long a process may take to end before it is killed, in milliseconds. */
const FAREWELL = 15_000;

/** A process of the bench that says one thing when it is ready, and then answers what it is asked, in order. */
export interface AskedProcess<Question, Answer> {
  readonly ready: Answer;
  ask(question: Question): Promise<Answer>;
  /** Asks it to end, and kills it when it does not. */
  end(question: Question): Promise<void>;
}

/** `file`: a TypeScript file beside this one. */
export async function startAskedProcess<Question extends string | object, Answer>(options: {
  readonly node: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<AskedProcess<Question, Answer>> {
  const { node, file, env } = options;
  const child = spawn(
    node,
    [
      "--import=tsx",
      "--expose-gc",
      "--no-warnings",
      ...(process.env["BENCH_NODE_ARGS"]?.split(" ") ?? []),
      fileURLToPath(new URL(file, import.meta.url)),
    ],
    {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...env, NODE_ENV: "production" },
    },
  );
  const exited = once(child, "exit");
  let ended: Error | undefined;
  const waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  child.on("message", (answer: Answer) => waiting.shift()?.resolve(answer));
  child.on("exit", (code, signal) => {
    ended = new Error(`[bench] ${file} has ended (${signal ?? code}): see what it said above`);
    for (const { reject } of waiting.splice(0)) reject(ended);
  });

  function answer(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (ended === undefined) waiting.push({ resolve, reject });
      else reject(ended);
    });
  }

  return {
    ready: await answer(),
    ask(question) {
      const answered = answer();
      if (ended === undefined) child.send(question);
      return answered;
    },
    async end(question) {
      if (ended !== undefined) return;
      child.send(question);
      const patience = new AbortController();
      const late = wait(FAREWELL, undefined, { signal: patience.signal }).then(
        () => child.kill("SIGKILL"),
        () => {},
      );
      await exited;
      patience.abort();
      await late;
    },
  };
}
