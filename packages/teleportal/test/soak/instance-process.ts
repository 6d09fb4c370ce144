import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What an instance holds, garbage collected. */
export interface Holding {
  readonly documents: number;
  readonly connections: number;
  /** In bytes, buffers included. */
  readonly memory: number;
  /** Sockets, timers and what else keeps a process alive. */
  readonly handles: number;
  readonly connected: boolean;
  /** Clients that it has closed for what they did, since the start. */
  readonly sentAway: number;
  readonly repairs: number;
}

export interface InstanceProcess extends AsyncDisposable {
  readonly url: string;
  holding(): Promise<Holding>;
}

const MODULE = fileURLToPath(new URL("soak-instance.ts", import.meta.url));

export async function startInstanceProcess(brokerPort: number): Promise<InstanceProcess> {
  const child = fork(MODULE, [String(brokerPort)], {
    execArgv: ["--import", "tsx", "--conditions", "@teleportal/source"],
  });
  const exited = once(child, "exit");

  async function answer<Answer>(): Promise<Answer> {
    const [message] = (await Promise.race([
      once(child, "message"),
      exited.then(([code]) => {
        throw new Error(`[soak] an instance has ended with ${code}: see above`);
      }),
    ])) as [Answer];
    return message;
  }

  const { url } = await answer<{ readonly url: string }>();
  return {
    url,
    holding() {
      child.send("holding?");
      return answer<Holding>();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
