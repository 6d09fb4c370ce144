/** `npm run docs`: the documentation as a site, while it is written; `npm run docs:build`: to be put on a web server. */
import process from "node:process";
import { run, setUp } from "./setup.js";

const SCRIPTS = { dev: "dev", build: "site" };

const [command = "dev", ...rest] = process.argv.slice(2);
const script = SCRIPTS[command];
if (script === undefined) {
  console.error(`[docs] there is no "${command}": use ${Object.keys(SCRIPTS).join(", ")}`);
  process.exit(2);
}

setUp();
process.exitCode = run("npm", ["--prefix", "apps/docs", "run", script, "--", ...rest]);
