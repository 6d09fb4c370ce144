import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { RunningInstance, StartInstance } from "./running-instance.ts";

const LISTENING = /^listening +ws:\/\/\S+:(\d+)$/m;

/** How long an instance may take to listen, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Instances as in production: each a process of its own, `node module`. The port is in `PORT`, and where the broker is in
 * what `environment` makes of its address. The module prints `listening ws://…:port` when it does.
 */
export function inOwnProcess(
  module: URL,
  environment: (broker: string) => Record<string, string>,
): StartInstance {
  return async (port, broker): Promise<RunningInstance> => {
    const child = spawn(process.execPath, [fileURLToPath(module)], {
      env: {
        ...process.env,
        PORT: String(port),
        ...(broker === undefined ? {} : environment(broker)),
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = endOf(child);
    // However this process ends, it leaves none behind.
    const kill = (): boolean => child.kill("SIGKILL");
    process.once("exit", kill);
    void ended.then(() => process.off("exit", kill));
    try {
      return {
        port: await listeningPort(child, ended),
        ended,
        async kill() {
          kill();
          await ended;
        },
      };
    } catch (error) {
      kill();
      await ended;
      throw error;
    }
  };
}

/** Resolves with how it has ended, in words; also if it could not be started. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, "exit");
    return code === null ? `was ended by ${signal}` : `has ended with ${code}`;
  } catch (cause) {
    return `could not be started (${String(cause)})`;
  }
}

async function listeningPort(child: ChildProcess, ended: Promise<string>): Promise<number> {
  let giveUp: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      let printed = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        printed += chunk.toString();
        const found = LISTENING.exec(printed)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
      void ended.then((how) => reject(new Error(`[playground] the instance ${how}: see above`)));
      giveUp = setTimeout(() => {
        reject(
          new Error(
            `[playground] the instance does not listen after ${PATIENCE / 1000} s: see whether its broker answers`,
          ),
        );
      }, PATIENCE);
    });
  } finally {
    clearTimeout(giveUp);
    // No longer kept, but read: an instance whose words nobody takes would wait for that.
    child.stdout?.removeAllListeners("data").resume();
  }
}
