/** `npm start [memory|redis|nats|google-pubsub]`: an example, with the page that shows it. More arguments go to the example. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root, run, setUp } from "./setup.js";

const BACKENDS = ["memory", "redis", "nats", "google-pubsub"];

const [first = "memory", ...rest] = process.argv.slice(2);
const [backend, args] = first.startsWith("-") ? ["memory", [first, ...rest]] : [first, rest];
if (!BACKENDS.includes(backend)) {
  console.error(`[start] there is no example "${backend}": use ${BACKENDS.join(", ")}`);
  process.exit(2);
}

setUp();
const name = `example-${backend}`;
console.log(`Building ${name} …`);
const built = run("turbo", ["run", "build", `--filter=@teleportal/${name}`], { quiet: true });
if (built !== 0) process.exit(built);

const app = spawn(process.execPath, [join(root, "apps", name, "dist", "main.js"), ...args], {
  stdio: "inherit",
});
// The terminal sends its signals to the whole group; the app answers them, and this process waits for it.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => signal === "SIGTERM" && app.kill(signal));
}
app.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
