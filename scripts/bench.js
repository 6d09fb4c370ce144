/** `npm run bench`: what a keystroke costs, against a raw relay and Hocuspocus, on real servers and brokers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root, run, setUp } from "./setup.js";

const RESULTS = "apps/bench/results";

setUp();
// What users get is measured: compiled, and not translated on the fly, which makes every function larger and slower.
const built = run("turbo", ["run", "build", "--filter=./packages/*"], { quiet: true });
if (built !== 0) process.exit(built);
process.exitCode = run("node", [
  // The clients are in this process: what it collects of its own garbage while a keystroke is on its way looks like latency.
  "--min-semi-space-size=128",
  "--max-semi-space-size=128",
  "--expose-gc",
  "--import",
  "tsx",
  "apps/bench/src/main.ts",
  ...process.argv.slice(2),
]);
if (existsSync(join(root, RESULTS))) run("oxfmt", [RESULTS], { quiet: true });
