import process from "node:process";
import { parseArgs } from "node:util";
import { openStage } from "./open-stage.ts";
import type { Stage, StageSettings } from "./open-stage.ts";

/** A broker that an example has found or started. */
export interface ExampleBroker {
  readonly host: string;
  readonly port: number;
  /** What it is, for the terminal: "redis-server 7.0.15, started for this". */
  readonly title: string;
  stop(): Promise<void>;
}

export interface Example extends Omit<StageSettings, "port" | "broker"> {
  /** Missing if there is nothing between the instances. */
  broker?(): Promise<ExampleBroker>;
}

/** Runs an example until Ctrl+C: its broker, two instances and the page, on `--port` (3000). */
export async function runExample(example: Example): Promise<void> {
  // First of all, so that nothing is left running whenever it comes. The second Ctrl+C ends the process at once.
  const toldToEnd = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  let broker: ExampleBroker | undefined;
  let stage: Stage | undefined;
  try {
    const { values } = parseArgs({ options: { port: { type: "string", default: "3000" } } });
    broker = await example.broker?.();
    const { backend, start } = example;
    stage = await openStage({
      backend,
      start,
      ...(broker && { broker }),
      port: Number(values.port),
    });
    console.log(`\n${backend}: ${broker?.title ?? "both instances in one process"}\n`);
    console.log(`Open ${stage.url}\n`);
    console.log("Ctrl+C ends it.");
    await toldToEnd;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    try {
      await stage?.close();
    } finally {
      await broker?.stop();
    }
  }
}
