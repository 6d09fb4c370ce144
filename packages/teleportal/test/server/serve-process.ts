import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("run-command.ts", import.meta.url));

/** `teleportal …` in a process of its own, from source. */
export interface CommandProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves with the first match in stdout; rejects if the process ends without one. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

export function runCommand(...args: readonly string[]): CommandProcess {
  return runCommandUnder([], ...args);
}

/** The same with further options of Node.js. */
export function runCommandUnder(
  nodeOptions: readonly string[],
  ...args: readonly string[]
): CommandProcess {
  const options = ["--import", "tsx", "--conditions", "@teleportal/source", ...nodeOptions, MAIN];
  const child = spawn(process.execPath, [...options, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = once(child, "close").then(([code]) => code as number | null);

  return {
    child,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    exited,
    printed(pattern) {
      return new Promise((resolve, reject) => {
        function look(): void {
          const match = pattern.exec(stdout);
          if (match === null) return;
          child.stdout?.off("data", look);
          resolve(match);
        }
        child.stdout?.on("data", look);
        look();
        void exited.then((code) => reject(new Error(`ended with ${code}: ${stderr}`)));
      });
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** `teleportal serve` on a free port; resolves when it listens. */
export async function serve(...args: readonly string[]): Promise<CommandProcess & { url: string }> {
  const command = runCommand("serve", "--port", "0", ...args);
  const [, url = ""] = await command.printed(/listening +(ws:\S+)/);
  return Object.defineProperty(command, "url", { value: url }) as CommandProcess & { url: string };
}
