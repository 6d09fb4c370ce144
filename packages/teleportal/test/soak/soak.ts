/**
 * Lets people come and go for long:
 *
 *     npm run soak --
 *       --minutes 5       how long; 600 for a night
 *       --visitors 500    how many at a time
 *       --documents 100
 *       --seed 1
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { growthSinceFirst, runSoak } from "./run-soak.ts";

const MEBIBYTE = 1024 * 1024;

/** How long people come and go between two countings, in milliseconds. */
const CYCLE = 20_000;

/** What may be held more at rest at the end than after the first cycle. */
const MEMORY_GROWTH = 8 * MEBIBYTE;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    visitors: { type: "string", default: "500" },
    documents: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
  },
});

function numberOf(name: keyof typeof values): number {
  const number = Number(values[name]);
  if (number > 0) return number;
  throw new Error(`[soak] --${name} is ${values[name]}: give a number above 0`);
}

console.log("cycle  visits  keystrokes  lost  cut off   memory at rest  handles");
const cycles = await runSoak({
  seed: numberOf("seed"),
  cycles: Math.max(2, Math.round((numberOf("minutes") * 60_000) / CYCLE)),
  visitors: numberOf("visitors"),
  documents: numberOf("documents"),
  duration: CYCLE,
  onCycle({ visits, keystrokes, lost, cutOff, holdings }, index) {
    const memory = holdings.map((held) => (held.memory / MEBIBYTE).toFixed(1)).join(" + ");
    const handles = holdings.map((held) => held.handles).join(" + ");
    console.log(
      `${String(index + 1).padStart(5)}  ${String(visits).padStart(6)}  ${String(keystrokes).padStart(10)}  ` +
        `${String(lost).padStart(4)}  ${String(cutOff).padStart(7)}  ${`${memory} MiB`.padStart(15)}  ${handles.padStart(7)}`,
    );
  },
});

const growth = growthSinceFirst(cycles);
const lost = cycles.reduce((sum, cycle) => sum + cycle.lost, 0);
const cutOff = cycles.reduce((sum, cycle) => sum + cycle.cutOff, 0);
console.log(
  `\n${lost} keystrokes lost, ${cutOff} visitors cut off; at rest ${(growth.memory / MEBIBYTE).toFixed(1)} MiB and ` +
    `${growth.handles} handles more than after the first cycle`,
);
if (lost > 0 || cutOff > 0 || growth.handles > 0 || growth.memory > MEMORY_GROWTH) {
  process.exitCode = 1;
}
