/** `npm run soak`: thousands of people come, type and leave through broker restarts. */
import process from "node:process";
import { run, setUp } from "./setup.js";

setUp();
process.exitCode = run("node", [
  "--import",
  "tsx",
  "--conditions=@teleportal/source",
  "packages/teleportal/test/soak/soak.ts",
  ...process.argv.slice(2),
]);
