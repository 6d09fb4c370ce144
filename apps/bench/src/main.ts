import { resolve } from "node:path";
import process from "node:process";
import { missing } from "./broker.ts";
import type { Contender } from "./contender.ts";
import { environmentOf } from "./environment.ts";
import { measure } from "./measure.ts";
import { HELP, readOptions } from "./options.ts";
import type { MeasureOptions } from "./options.ts";
import { createRandom } from "./random.ts";
import { readResults, writeReport } from "./report/files.ts";
import { reportOf } from "./report/report.ts";
import { ownFailures } from "./results.ts";
import type { Results } from "./results.ts";
import { serverNode } from "./server-node.ts";
import type { EditingSession } from "./session/editing-session.ts";
import { generateTyping } from "./session/generate-session.ts";
import { readTrace } from "./session/trace.ts";
import { createTerminal } from "./terminal.ts";
import type { Workload } from "./workloads/workload.ts";

/** Enough for the longest workload at scale 1. */
const KEYSTROKES = 6000;

const terminal = createTerminal();

function sessionOf({ trace, seed, scale }: MeasureOptions): EditingSession {
  const random = createRandom(seed);
  if (trace !== undefined) return readTrace(trace, 1 + Math.floor(random() * 0xffff_fffe));
  return generateTyping(Math.ceil(KEYSTROKES * Math.max(1, scale)), random);
}

function describe(workload: Workload): Results["workloads"][number] {
  const { name, title, metrics, axis, fresh, needsDocument } = workload;
  return { name, title, metrics, fresh, needsDocument, ...(axis === undefined ? {} : { axis }) };
}

async function measureAll(options: MeasureOptions): Promise<Results> {
  const startedAt = performance.now();
  const session = sessionOf(options);
  terminal.say(`Types ${session.title}, --seed ${options.seed}.`);
  const leftOut: string[] = [];
  const contenders: Contender[] = [];
  for (const contender of options.contenders) {
    const help = missing(contender.broker);
    if (help === undefined) contenders.push(contender);
    else leftOut.push(`${contender.title}: there is no such broker here (${help})`);
  }
  for (const line of leftOut) terminal.say(`LEFT OUT: ${line}`);
  terminal.status("looking for the servers' Node …");
  const node = serverNode();
  const { runs, brokers } = await measure(options, contenders, node, session, terminal);
  const { seed, rounds, scale, awareness } = options;
  return {
    date: new Date().toISOString().slice(0, 10),
    environment: environmentOf(node, brokers),
    text: session.title,
    seed,
    rounds,
    scale,
    awareness,
    minutes: (performance.now() - startedAt) / 60_000,
    workloads: options.workloads.map(describe),
    contenders,
    leftOut,
    runs,
  };
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.type === "help") {
    console.log(HELP);
    return;
  }
  if (options.type === "render") {
    await writeReport(resolve(options.directory), readResults(resolve(options.directory)));
    return;
  }
  const results = await measureAll(options);
  terminal.say(`\n${reportOf(results, []).trim()}\n`);
  const failures = ownFailures(results);
  const { output } = options;
  if (output.type === "none") {
    terminal.say("Nothing was written: the run is not complete. --output DIR writes it there.");
  } else if (output.type === "committed" && results.leftOut.length > 0) {
    terminal.say(
      "Nothing was written: contenders are missing, see above. --output DIR writes it there.",
    );
  } else {
    await writeReport(resolve(output.directory), results);
    terminal.say(`The report is in ${resolve(output.directory)}.`);
  }
  for (const { workload, contender, reason } of failures) {
    terminal.say(`FAILED: ${workload}, ${contender}: ${reason}`);
  }
  process.exitCode = failures.length > 0 ? 1 : 0;
}

await main();
// Sockets of a run that was given up would keep the process alive.
process.exit();
