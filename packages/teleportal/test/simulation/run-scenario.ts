import { InvariantBroken } from "./invariant-broken.ts";
import type { Mutation } from "./mutation.ts";
import { planScenario } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";
import { createSimulatedWorld } from "./simulated-world.ts";
import type { MessageCounts } from "./simulated-world.ts";
import { createTrace } from "./trace.ts";
import { createVirtualClock } from "./virtual-clock.ts";

export interface Outcome {
  readonly scenario: Scenario;
  /** Equal for two runs that were the same, event by event. */
  readonly hash: string;
  /** What went wrong, if anything. */
  readonly failure: Error | undefined;
  /** How many messages of each kind were sent after the time when everything is healed. */
  readonly sentAfterwards: MessageCounts;
}

export interface RunOptions {
  readonly mutation?: Mutation;
  readonly print?: (line: string) => void;
  /** How long it may take until all instances are equal, once everything is whole again, in virtual milliseconds. */
  readonly convergence?: number;
}

/** @default of `convergence` */
const CONVERGENCE = 10_000;

/** And that long until nobody says anything any more. */
const SILENCE = 60_000;

/** Simulates what the seed stands for, or a scenario made by hand; exactly the same each time. */
export function runScenario(seedOrScenario: number | Scenario, options: RunOptions = {}): Outcome {
  const scenario =
    typeof seedOrScenario === "number" ? planScenario(seedOrScenario) : seedOrScenario;
  const clock = createVirtualClock();
  const trace = createTrace(clock, options.print);
  const world = createSimulatedWorld(scenario, clock, trace, options.mutation ?? {});
  let sentBefore: MessageCounts = new Map();
  let failure: Error | undefined;

  try {
    clock.runUntil(scenario.healed);
    let healed = scenario.healed;
    sentBefore = new Map(world.sent);
    for (;;) {
      // Clients come back in their own time, and bring what they have typed meanwhile.
      clock.runUntil(healed + (options.convergence ?? CONVERGENCE));
      if (world.acceptedAt <= healed) break;
      healed = world.acceptedAt;
    }
    const { witness, instances, clients } = world;
    let late: InvariantBroken | undefined;
    try {
      witness.judge(witness.expected(instances), instances, clients);
    } catch (error) {
      if (!(error instanceof InvariantBroken)) throw error;
      late = error;
    }
    clock.runUntil(healed + SILENCE);
    judgeRepairs(scenario.places, difference(world.sent, sentBefore));
    if (!clock.idle) {
      throw new InvariantBroken("a quiet document is silent", "something is still going to happen");
    }
    witness.judge(witness.expected(instances), instances, clients);
    if (late !== undefined)
      throw new InvariantBroken(late.invariant, `${late.what}, but gets it later`);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    trace.note("-", "failure", 0, () => String(failure));
  }

  const sentAfterwards = difference(world.sent, sentBefore);
  return { scenario, hash: trace.hash, failure, sentAfterwards };
}

function difference(after: MessageCounts, before: MessageCounts): MessageCounts {
  return new Map([...after].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)]));
}

/**
 * After the last fault, per instance. Half of all seeds take less than one of each; of 30,000 the most talkative (held
 * up by up to 1.5 seconds a message) took 11 replies. What grows with time passes these soon.
 */
const MOST_AFTERWARDS = { request: 6, reply: 16, digest: 6, beginning: 40 };

function judgeRepairs(places: number, sent: MessageCounts): void {
  const beginnings = sent.get("beginning") ?? 0;
  for (const kind of ["request", "reply", "digest", "beginning"] as const) {
    const most = MOST_AFTERWARDS[kind] * places;
    // What a reply begins is asked for to its end.
    const count = (sent.get(kind) ?? 0) - (kind === "request" ? beginnings : 0);
    if (count <= most) continue;
    throw new InvariantBroken(
      "repairs are bounded",
      `${count} messages of kind ${kind} for ${places} instances, at most ${most}`,
    );
  }
}
