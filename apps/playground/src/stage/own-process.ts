import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { RunningInstance, StartInstance } from "./running-instance.ts";

const LISTENING = /^listening +ws:\/\/\S+:(\d+)$/m;

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
    const exited = once(child, "exit");
    let printed = "";
    const listening = await new Promise<number>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        printed += chunk.toString();
        const found = LISTENING.exec(printed)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
      child.once("error", reject);
      void exited.then(([code]) =>
        reject(new Error(`[playground] the instance has ended with ${code}: see above`)),
      );
    });
    return {
      port: listening,
      async kill() {
        child.kill("SIGKILL");
        await exited;
      },
    };
  };
}
