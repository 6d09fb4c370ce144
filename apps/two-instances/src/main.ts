/** Two server instances in one terminal, kept in step, with a client typing on each. */
import { parseArgs } from "node:util";
import type { Logger } from "@teleportal/sync-core";
import { startInstance } from "./instance.ts";
import type { Instance } from "./instance.ts";
import { show } from "./show.ts";
import { createTypist } from "./typist.ts";

const USAGE = `npm start -- [options]

  --sync URL   what keeps the instances in step: memory: (default), or redis://HOST:PORT
  --port P     the first instance's port; the second takes the next (default 1234)
  --once       stop after the show
`;

const DOCUMENT = "welcome";

const quietLogger: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: console.warn,
  error: console.error,
};

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ":***@");
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sync: { type: "string", default: "memory:" },
      port: { type: "string", default: "1234" },
      once: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const instances: Instance[] = [];
  async function close(): Promise<void> {
    await Promise.all(instances.map((instance) => instance.close()));
  }
  process.once("SIGINT", () => void close());
  process.once("SIGTERM", () => void close());
  try {
    const first = Number(values.port);
    const a = await startInstance("A", first, values.sync, quietLogger);
    instances.push(a);
    const b = await startInstance("B", first === 0 ? 0 : first + 1, values.sync, quietLogger);
    instances.push(b);
    const over =
      values.sync === "memory:" ? "the embedded memory transport" : withoutPassword(values.sync);
    console.log(`Two instances, kept in step over ${over}:\n`);
    for (const { name, url } of instances) console.log(`  ${name}  ${url}`);
    console.log(`\nConnect an editor to either; documents are named by path:`);
    console.log(`  new WebsocketProvider("${a.url}", "${DOCUMENT}", doc)\n`);
    console.log("Ada types on A, Ben on B …");

    const ada = createTypist("Ada", a.url, DOCUMENT);
    const ben = createTypist("Ben", b.url, DOCUMENT);
    const shown = await show(ada, ben).finally(() => {
      ada.leave();
      ben.leave();
    });
    console.log(
      `  a keystroke took ${shown.median.toFixed(1)} ms to the other side (median; slowest ` +
        `${shown.slowest.toFixed(1)} ms), and after ${shown.keystrokes} of them both ends are ` +
        `${shown.equal ? "equal" : "NOT EQUAL"} (${shown.characters} characters)`,
    );
    if (!shown.equal) process.exitCode = 1;
    if (values.once) await close();
    else console.log("\nBoth keep running: Ctrl+C ends them.");
  } catch (error) {
    await close();
    throw error;
  }
}

run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
