/**
 * Runs seeds until one fails, or one seed alone:
 *
 *     npm run simulate --
 *       --seeds 10000   how many (default 1000)
 *       --from 1        the first of them
 *       --keep          goes on after a failure
 *       --within 10000  how many virtual milliseconds the instances have to become equal
 *       --seed 17       only this one, and tells what is decided beforehand
 *       --trace         with all that happens
 */
import { parseArgs } from "node:util";
import { InvariantBroken } from "./invariant-broken.ts";
import { runScenario } from "./run-scenario.ts";

const COMMAND = "npm run simulate --";

const PROGRESS_EVERY = 2000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    keep: { type: "boolean", default: false },
    within: { type: "string", default: "10000" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

function numberOf(name: "seeds" | "from" | "within" | "seed"): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new Error(`[simulation] --${name} is ${values[name]}: give a whole number`);
  }
  return number;
}

const convergence = numberOf("within");

function runOne(seed: number): void {
  const print = (line: string) => console.log(line);
  const outcome = runScenario(seed, values.trace ? { convergence, print } : { convergence });
  console.log(JSON.stringify(outcome.scenario, undefined, 1));
  if (outcome.failure !== undefined && !(outcome.failure instanceof InvariantBroken)) {
    console.log(outcome.failure.stack);
  }
  console.log(`seed ${seed} trace ${outcome.hash}: ${outcome.failure?.message ?? "all is well"}`);
  if (outcome.failure !== undefined) process.exitCode = 1;
}

function runMany(from: number, count: number): void {
  const started = performance.now();
  let said = started;
  let failures = 0;
  for (let done = 1; done <= count; done++) {
    const seed = from + done - 1;
    const { failure, hash } = runScenario(seed, { convergence });
    if (failure !== undefined) {
      failures += 1;
      process.exitCode = 1;
      console.log(`seed ${seed} trace ${hash}: ${failure.message}`);
      console.log(`replay it: ${COMMAND} --within ${convergence} --seed ${seed} --trace`);
    }
    const now = performance.now();
    const last = done === count || (failure !== undefined && !values.keep);
    if (last || now - said > PROGRESS_EVERY) {
      said = now;
      const perMinute = Math.round((done / (now - started)) * 60_000);
      console.log(`${done} seeds, ${failures} failures, ${perMinute} a minute`);
    }
    if (last) return;
  }
}

if (values.seed === undefined) runMany(numberOf("from"), numberOf("seeds"));
else runOne(numberOf("seed"));
