/** `npm run bench`: what a keystroke costs, against a raw relay and Hocuspocus, on real servers and brokers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root, run, setUp } from "./setup.js";

const RESULTS = "apps/bench/results";

setUp();
process.exitCode = run("node", [
  "--import",
  "tsx",
  "--conditions=@teleportal/source",
  "apps/bench/src/main.ts",
  ...process.argv.slice(2),
]);
if (existsSync(join(root, RESULTS))) run("oxfmt", [RESULTS], { quiet: true });
