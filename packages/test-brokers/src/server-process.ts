import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { BrokerError } from "./broker-error.ts";
import type { Launcher } from "./find-executable.ts";

/** A server that a test owns: started in a folder of its own, and never alive after the test process. */
export interface ServerProcess {
  readonly folder: string;
  readonly running: boolean;
  /** Starts it and waits until it is ready. */
  start(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it keeps its sockets and answers nothing. */
  pause(): void;
  resume(): void;
  /** Kills it and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

export interface ServerProcessSettings {
  readonly name: string;
  readonly launcher: Launcher;
  args(folder: string): readonly string[];
  /** Rejects while the server cannot be used yet. */
  probe(): Promise<unknown>;
  /** @default 15000 */
  readonly readyTimeout?: number;
}

const PROBE_INTERVAL = 20;

const alive = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

export async function createServerProcess(settings: ServerProcessSettings): Promise<ServerProcess> {
  const { name, launcher, probe, readyTimeout = 15_000 } = settings;
  const folder = await mkdtemp(join(tmpdir(), `test-brokers-${name}-`));
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();

  async function kill(): Promise<void> {
    child?.kill("SIGKILL");
    await exited;
  }

  return {
    folder,
    get running() {
      return child !== undefined;
    },
    async start() {
      let output = "";
      const started = spawn(launcher.program, [...launcher.args, ...settings.args(folder)], {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      });
      child = started;
      alive.add(started);
      const keep = (chunk: Buffer): void => {
        output = (output + chunk.toString()).slice(-4000);
      };
      started.stdout.on("data", keep);
      started.stderr.on("data", keep);
      exited = new Promise((resolve) => {
        const gone = (): void => {
          alive.delete(started);
          if (child === started) child = undefined;
          resolve();
        };
        started.once("exit", gone);
        started.once("error", (error) => {
          output += error.message;
          gone();
        });
      });
      const deadline = Date.now() + readyTimeout;
      for (;;) {
        if (child === undefined) {
          throw new BrokerError(`${name} ended at its start`, `see what it said:\n${output}`);
        }
        try {
          await probe();
          return;
        } catch (cause) {
          if (Date.now() < deadline) {
            await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL));
            continue;
          }
          await kill();
          throw new BrokerError(
            `${name} was not ready after ${readyTimeout} ms`,
            `see what it said:\n${output}`,
            cause,
          );
        }
      }
    },
    kill,
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
