/** `npm run simulate -- --seeds 10000`: the engine against a broker that does everything wrong, in virtual time. */
import process from "node:process";
import { run, setUp } from "./setup.js";

setUp();
process.exitCode = run("node", [
  "--import",
  "tsx",
  "--conditions=@teleportal/source",
  "packages/teleportal/test/simulation/simulate.ts",
  ...process.argv.slice(2),
]);
