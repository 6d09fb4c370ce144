/** `npm start`: two server instances in step, in one terminal. Arguments go to the app: `npm start -- --help`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root, run, setUp } from "./setup.js";

setUp();
const built = run("turbo", ["run", "build", "--filter=@teleportal/two-instances"], { quiet: true });
if (built !== 0) process.exit(built);

const app = spawn(
  process.execPath,
  [join(root, "apps", "two-instances", "dist", "main.js"), ...process.argv.slice(2)],
  { stdio: "inherit" },
);
// The terminal sends its signals to the whole group; the app answers them, and this process waits for it.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => signal === "SIGTERM" && app.kill(signal));
}
app.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
