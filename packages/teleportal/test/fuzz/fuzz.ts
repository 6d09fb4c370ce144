/**
 * Sends broken bytes until something gives way, or one seed's alone:
 *
 *     npm run fuzz --
 *       --inputs 1000000   how many (default 1000000)
 *       --from 1           the first seed
 *       --seed 17          only this one
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { memoryInUse } from "../../../sync-core/src/conformance/memory-growth.ts";
import { fuzzRound, INPUTS_PER_ROUND, targetOf } from "./fuzz-rounds.ts";

const MEBIBYTE = 1024 * 1024;

/** How much more memory may be in use at the end than after the first tenth, in bytes. */
const GROWTH = 16 * MEBIBYTE;

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "1000000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
  },
});

function numberOf(name: "inputs" | "from" | "seed"): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`[fuzz] --${name} is ${values[name]}: give a whole number`);
}

let current = 0;
// What nobody awaits ends the process; it has to be told by which seed.
process.on("uncaughtExceptionMonitor", (error) => console.error(replay(error)));

function replay(error: unknown): string {
  return `${String(error)}\nreplay it: npm run fuzz -- --seed ${current} (${targetOf(current)})`;
}

async function run(from: number, rounds: number): Promise<void> {
  let baseline: number | undefined;
  for (let done = 0; done < rounds; done++) {
    current = from + done;
    try {
      await fuzzRound(current);
    } catch (error) {
      console.error(replay(error));
      process.exitCode = 1;
      return;
    }
    if ((done + 1) % Math.ceil(rounds / 10) !== 0) continue;
    const memory = await memoryInUse();
    baseline ??= memory;
    const growth = memory - baseline;
    console.log(
      `${(done + 1) * INPUTS_PER_ROUND} inputs, all is well, ${(growth / MEBIBYTE).toFixed(1)} MiB more in use`,
    );
    if (growth > GROWTH) {
      console.error(`[fuzz] memory has grown by ${growth} bytes: something is kept of each input`);
      process.exitCode = 1;
      return;
    }
  }
}

if (values.seed === undefined) {
  await run(numberOf("from"), Math.ceil(numberOf("inputs") / INPUTS_PER_ROUND));
} else {
  await run(numberOf("seed"), 1);
}
