import { startBroker } from "./broker.ts";
import type { Broker } from "./broker.ts";
import type { Contender } from "./contender.ts";
import { deploy } from "./deployment.ts";
import type { Deployment } from "./deployment.ts";
import type { MeasureOptions } from "./options.ts";
import { createRandom } from "./random.ts";
import { judge } from "./results.ts";
import type { Run } from "./results.ts";
import type { EditingSession } from "./session/editing-session.ts";
import type { Terminal } from "./terminal.ts";
import { warmUp } from "./warm-up.ts";
import { within } from "./within.ts";
import type { Workload } from "./workloads/workload.ts";

/** The longest that one run may take, in milliseconds. */
const PATIENCE = 300_000;

/** How long servers are warmed at most, in milliseconds: for CPU and latency, and for what tells less of their code. */
const WARM_SHARED = 8000;
const WARM_FRESH = 2000;
/** The same where places on an axis are compared: V8 puts code aside that is not used, and the first place would pay for it. */
const WARM_AGAIN = 1500;

/** A contender under measurement: a broker of its own, and servers that are started when they are needed. */
interface Place {
  readonly contender: Contender;
  readonly broker: Broker;
  shared: Deployment | undefined;
}

/** Every workload, round by round, the contenders taking turns within a round; those over an emulator when the others are done. */
export async function measure(
  options: MeasureOptions,
  contenders: readonly Contender[],
  node: string,
  session: EditingSession,
  terminal: Terminal,
): Promise<{ readonly runs: readonly Run[]; readonly brokers: readonly string[] }> {
  const runs: Run[] = [];
  const brokers: string[] = [];

  async function open({ contender, broker }: Place, warmFor: number): Promise<Deployment> {
    terminal.status(`starting ${contender.title} …`);
    const deployment = await deploy(contender, node, broker);
    await warmUp(deployment, session, warmFor);
    return deployment;
  }

  async function run(workload: Workload, place: Place, round: number): Promise<readonly Run[]> {
    const which = { workload: workload.name, contender: place.contender.name, round };
    const startedAt = performance.now();
    let deployment: Deployment | undefined;
    try {
      deployment = workload.fresh
        ? await open(place, WARM_FRESH)
        : (place.shared ??= await open(place, WARM_SHARED));
      if (!workload.fresh && workload.axis !== undefined) {
        await warmUp(deployment, session, WARM_AGAIN);
      }
      terminal.status(
        `${workload.name}, round ${round + 1} of ${roundsOf(workload)}: ${place.contender.title} …`,
      );
      const measurements = await within(
        PATIENCE,
        workload.run(deployment, {
          session,
          random: createRandom(options.seed + round),
          scale: options.scale,
          awareness: options.awareness,
        }),
      );
      if (workload.fresh) await deployment.close();
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      terminal.status(`${workload.name}: ${place.contender.title} took ${seconds} s`);
      return measurements.map((measurement) => judge(which, measurement));
    } catch (error) {
      // Whatever state these servers are in, nothing else is measured on them.
      await deployment?.close();
      if (deployment === place.shared) place.shared = undefined;
      return [{ ...which, type: "failed", reason: String(error) }];
    }
  }

  const roundsOf = (workload: Workload): number => workload.rounds(options.rounds);

  /** These take turns; their brokers and servers are there meanwhile, and no others. */
  async function takeTurns(group: readonly Contender[]): Promise<void> {
    const places: Place[] = [];
    try {
      for (const contender of group) {
        terminal.status(`starting ${contender.broker} for ${contender.title} …`);
        const broker = await startBroker(contender.broker);
        places.push({ contender, broker, shared: undefined });
        brokers.push(broker.title);
      }
      for (const workload of options.workloads) {
        terminal.say(`\n${workload.name}: ${workload.title}`);
        for (let round = 0; round < roundsOf(workload); round++) {
          for (const place of places) {
            if (place.contender.emulated && round > 0) continue;
            if (workload.needsDocument && place.contender.role === "relay") continue;
            const done = await run(workload, place, round);
            runs.push(...done);
            for (const each of done) terminal.say(lineOf(workload, each));
          }
        }
      }
    } finally {
      await Promise.all(places.map(async ({ shared }) => shared?.close()));
      await Promise.all(places.map(({ broker }) => broker.stop()));
    }
  }

  // An emulator that nobody asks takes a quarter of a processor all the same, which is everybody's.
  const last = contenders.filter(({ emulated }) => emulated);
  const first = contenders.filter(({ emulated }) => !emulated);
  for (const group of [first, last]) if (group.length > 0) await takeTurns(group);
  return { runs, brokers };
}

function lineOf({ metrics, axis }: Workload, run: Run): string {
  const at = run.type === "measured" ? run.measurement.at : run.at;
  const who = `  ${run.round + 1} ${run.contender.padEnd(14)}`;
  const where = at === undefined ? "" : `${at} ${axis?.title}: `;
  if (run.type === "failed") return `${who}${where}FAILED: ${run.reason}`;
  const values = Object.entries(run.measurement.values).map(
    ([name, value]) => `${name} ${value.toFixed(metrics[name]?.digits ?? 1)}`,
  );
  return `${who}${where}${values.join("  ")}`;
}
