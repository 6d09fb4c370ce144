import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
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
  /** Rejects while the server cannot be used yet, and if who answers is another. */
  probe(folder: string): Promise<unknown>;
  /** @default 15000 */
  readonly readyTimeout?: number;
}

const PROBE_INTERVAL = 20;

/** Ends the server and removes its folder when the pipe to the test process breaks, however that process ended. */
const WATCHDOG = `trap '' INT TERM HUP; read -r _; kill -9 "$1" 2>/dev/null; rm -rf "$2"`;

/** How a server is started and signalled, here or in a container. */
interface Control {
  spawn(args: readonly string[], folder: string): ChildProcess;
  signal(child: ChildProcess, name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
}

function controlOf(launcher: Launcher, container: string): Control {
  if (launcher.type === "program") {
    return {
      spawn: (args, folder) =>
        spawn(launcher.program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] }),
      signal: (child, name) => void child.kill(name),
    };
  }
  const { image, program } = launcher;
  const verb = { SIGKILL: "kill", SIGSTOP: "pause", SIGCONT: "unpause" } as const;
  return {
    spawn(args) {
      // Before the server's own time to come up begins.
      spawnSync("docker", ["pull", image], { stdio: "ignore" });
      const run = ["run", "--rm", "--name", container, "--network", "host", image, program];
      return spawn("docker", [...run, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    },
    signal: (_child, name) =>
      void spawnSync("docker", [verb[name], container], { stdio: "ignore" }),
  };
}

export async function createServerProcess(settings: ServerProcessSettings): Promise<ServerProcess> {
  const { name, launcher, probe, readyTimeout = 15_000 } = settings;
  const folder = await mkdtemp(join(tmpdir(), `test-brokers-${name}-`));
  const control = controlOf(launcher, basename(folder));
  let watchdog: ChildProcess | undefined;
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();

  async function kill(): Promise<void> {
    signal("SIGKILL");
    await exited;
    watchdog?.kill("SIGKILL");
  }

  function signal(what: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    if (child !== undefined) control.signal(child, what);
  }

  return {
    folder,
    get running() {
      return child !== undefined;
    },
    async start() {
      let output = "";
      const started = control.spawn(settings.args(folder), folder);
      child = started;
      watchdog = spawn("/bin/sh", ["-c", WATCHDOG, "sh", String(started.pid), folder], {
        stdio: ["pipe", "ignore", "ignore"],
      });
      watchdog.unref();
      const keep = (chunk: Buffer): void => {
        output = (output + chunk.toString()).slice(-4000);
      };
      started.stdout?.on("data", keep);
      started.stderr?.on("data", keep);
      exited = new Promise((resolve) => {
        const gone = (): void => {
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
          await probe(folder);
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
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
