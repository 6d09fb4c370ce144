/** `npm run fuzz`: broken bytes from clients and on the broker, and nobody else may notice. */
import process from "node:process";
import { run, setUp } from "./setup.js";

setUp();
process.exitCode = run("node", [
  "--import",
  "tsx",
  "--conditions=@teleportal/source",
  "packages/teleportal/test/fuzz/fuzz.ts",
  ...process.argv.slice(2),
]);
