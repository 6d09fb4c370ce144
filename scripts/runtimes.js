/** `npm run runtimes`: the packed packages under Node, Bun and Deno, and with every major version of their clients. */
import process from "node:process";
import { run, setUp } from "./setup.js";

setUp();
process.exitCode = run("node", [
  "--import",
  "tsx",
  "--conditions=@teleportal/source",
  "test/packed/runtimes.ts",
  ...process.argv.slice(2),
]);
