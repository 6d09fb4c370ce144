import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { contenders } from "./contender.ts";
import type { Contender } from "./contender.ts";
import { workloads } from "./workloads/index.ts";
import type { Workload } from "./workloads/workload.ts";

export const HELP = `npm run bench -- [options]

  --quick              about two minutes: the four short workloads, small
  --only NAMES         workloads, separated by commas:
                       ${workloads.map(({ name }) => name).join(", ")}
  --contenders NAMES   ${contenders.map(({ name }) => name).join(", ")}
  --rounds N           how often everything is measured (3)
  --scale X            1 for the full measurement, less for a shorter, noisier one
  --seed N             what is typed; printed, so that a run can be done again
  --trace FILE         types this recording (github.com/josephg/editing-traces, sequential) and no generated text
  --awareness          idle clients have a presence, which they renew every 15 s as y-websocket's do
  --output DIR         where the report goes; a run that is not complete writes none without it
  --render DIR         measures nothing: writes the report of DIR/results.json again
  --help`;

/** What a quick run measures, and how. */
const QUICK = { only: "one-by-one,bursts,latency,wire", rounds: "2", scale: "0.2" };

const COMMITTED = fileURLToPath(new URL("../results", import.meta.url));

export type Options =
  | { readonly type: "help" }
  | { readonly type: "render"; readonly directory: string }
  | ({ readonly type: "measure" } & MeasureOptions);

export interface MeasureOptions {
  readonly workloads: readonly Workload[];
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  readonly scale: number;
  readonly seed: number;
  readonly trace: string | undefined;
  readonly awareness: boolean;
  /** Where the report goes; `committed` only if nothing is left out. */
  readonly output:
    | { readonly type: "directory"; readonly directory: string }
    | { readonly type: "committed"; readonly directory: string }
    | { readonly type: "none" };
}

function choose<Named extends { readonly name: string }>(
  option: string,
  all: readonly Named[],
  names: string | undefined,
): readonly Named[] {
  if (names === undefined) return all;
  return names.split(",").map((name) => {
    const found = all.find((each) => each.name === name);
    if (found !== undefined) return found;
    const known = all.map((each) => each.name).join(", ");
    throw new Error(`[bench] there is no ${name} for ${option}: choose of ${known}`);
  });
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`[bench] ${option} is ${text}: give a number above 0`);
}

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      contenders: { type: "string" },
      rounds: { type: "string" },
      scale: { type: "string" },
      seed: { type: "string" },
      trace: { type: "string" },
      awareness: { type: "boolean", default: false },
      output: { type: "string" },
      render: { type: "string" },
    },
  });
  if (values.help) return { type: "help" };
  if (values.render !== undefined) return { type: "render", directory: values.render };
  const quick = values.quick ? QUICK : undefined;
  const chosen = {
    workloads: choose("--only", workloads, values.only ?? quick?.only),
    contenders: choose("--contenders", contenders, values.contenders),
    rounds: Math.ceil(positive("--rounds", values.rounds ?? quick?.rounds ?? "3")),
    scale: positive("--scale", values.scale ?? quick?.scale ?? "1"),
  };
  const complete =
    chosen.workloads.length === workloads.length &&
    chosen.contenders.length === contenders.length &&
    chosen.scale >= 1 &&
    chosen.rounds >= 3 &&
    values.trace === undefined &&
    !values.awareness;
  return {
    type: "measure",
    ...chosen,
    seed: values.seed === undefined ? Date.now() % 1_000_000 : positive("--seed", values.seed),
    trace: values.trace,
    awareness: values.awareness,
    output: outputOf(values.output, complete),
  };
}

function outputOf(directory: string | undefined, complete: boolean): MeasureOptions["output"] {
  if (directory !== undefined) return { type: "directory", directory };
  return complete ? { type: "committed", directory: COMMITTED } : { type: "none" };
}
