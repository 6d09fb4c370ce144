/**
 * The packed packages under other runtimes, and with every major version of their brokers' clients:
 *
 *     npm run runtimes
 *     npm run runtimes -- --only bun
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs, promisify } from "node:util";
import {
  findGooglePubsub,
  findRedis,
  requireBroker,
  startGooglePubsub,
  startRedis,
} from "@teleportal/test-brokers";
import { openWorkshop } from "./consumer.ts";
import type { Consumer, Workshop } from "./consumer.ts";

/** What runs a module: an npm package that carries the program, and how it is called. */
interface Runtime {
  readonly name: string;
  readonly dependency: Readonly<Record<string, string>>;
  command(folder: string): readonly [string, ...string[]];
}

const node = (major: number): Runtime => ({
  name: `Node ${major}`,
  dependency: { node: String(major) },
  command: (folder) => [join(folder, "node_modules", "node", "bin", "node")],
});

const NODE_20 = node(20);
const NODE_22 = node(22);

const RUNTIMES: readonly Runtime[] = [
  NODE_20,
  NODE_22,
  node(24),
  node(26),
  {
    name: "Bun",
    dependency: { bun: "1" },
    command: (folder) => [join(folder, "node_modules", ".bin", "bun")],
  },
  {
    name: "Deno",
    dependency: { deno: "2" },
    command: (folder) => {
      const deno = join(folder, "node_modules", ".bin", "deno");
      return [deno, "run", "--allow-all", "--node-modules-dir=manual"];
    },
  },
];

interface Case {
  readonly runtime: Runtime;
  readonly adapter: "memory" | "redis" | "google-pubsub";
  readonly client?: { readonly name: string; readonly range: string };
}

const ioredis = (major: number) => ({ name: "ioredis", range: `^${major}.0.0` });
const pubsub = (major: number) => ({ name: "@google-cloud/pubsub", range: `^${major}.0.0` });

const CASES: readonly Case[] = [
  ...RUNTIMES.flatMap((runtime): Case[] => [
    { runtime, adapter: "memory" },
    { runtime, adapter: "redis", client: ioredis(6) },
  ]),
  { runtime: NODE_20, adapter: "redis", client: ioredis(5) },
  { runtime: NODE_20, adapter: "google-pubsub", client: pubsub(5) },
  // The lowest that the adapters' peer ranges allow.
  { runtime: NODE_20, adapter: "redis", client: { name: "ioredis", range: "5.3.0" } },
  {
    runtime: NODE_20,
    adapter: "google-pubsub",
    client: { name: "@google-cloud/pubsub", range: "5.0.0" },
  },
  // Needs Node 22. Not ^6: 6.3.2 depends on a version of @google-cloud/pubsub-api that cannot be had.
  {
    runtime: NODE_22,
    adapter: "google-pubsub",
    client: { name: "@google-cloud/pubsub", range: "6.3.0" },
  },
];

/** Two servers, an editor on each: what one types the other has; then all is closed, and the process ends by itself. */
const PROGRAM = `
import process from "node:process";
import { listen, Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const [, , adapter, url] = process.argv;
const names = { memory: "Memory", redis: "Redis", "google-pubsub": "GooglePubsub" };
const module = await import("@teleportal/sync-" + adapter);
const connect = module["create" + names[adapter] + "ServerSyncTransportFactoryFromConnectionString"];
const quiet = { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };

async function start() {
  const factory = await connect(url, {}, quiet);
  const server = new Server({
    getStorage: () => createMemoryDocumentStorage(),
    checkPermission: () => true,
    syncTransportFactory: factory,
    logger: quiet,
  });
  const listener = await listen(server, { port: 0 });
  return {
    url: listener.url,
    async close() {
      await listener.close();
      await server.close();
      await factory.close();
    },
  };
}

function edit(url) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url, "doc", doc, { WebSocketPolyfill: WebSocket, disableBc: true });
  return { doc, end: () => (provider.destroy(), doc.destroy()) };
}

const servers = [await start(), await start()];
const [here, there] = servers.map(({ url }) => edit(url));
const arrived = new Promise((resolve) => {
  there.doc.on("update", () => there.doc.getText("text").toString().length === 20 && resolve());
});
for (let i = 0; i < 20; i++) here.doc.getText("text").insert(0, "x");
await arrived;
for (const editor of [here, there]) editor.end();
for (const server of servers) await server.close();
console.log("arrived");
`;

/** How long a case may take, in milliseconds; a process that does not end by itself is ended then. */
const PATIENCE = 60_000;

function install(workshop: Workshop, { runtime, adapter, client }: Case): Promise<Consumer> {
  const published = ["teleportal", "@teleportal/sync-core", `@teleportal/sync-${adapter}`];
  return workshop.install("pnpm", published, {
    ...runtime.dependency,
    ...(client && { [client.name]: client.range }),
    ws: "^8.18.0",
    "y-websocket": "3.1.0",
    yjs: "^13.6.33",
  });
}

/** What came of a case. */
interface Outcome {
  /** The runtime and the client with the versions that were installed. */
  readonly installed: readonly string[];
  readonly failure?: string;
}

async function runCase(workshop: Workshop, one: Case, url: string): Promise<Outcome> {
  const installed: string[] = [];
  try {
    const consumer = await install(workshop, one);
    for (const name of [...Object.keys(one.runtime.dependency), one.client?.name ?? []].flat()) {
      const file = join(consumer.folder, "node_modules", name, "package.json");
      const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
      installed.push(`${name} ${version}`);
    }
    await consumer.write("program.js", PROGRAM);
    const [command, ...args] = one.runtime.command(consumer.folder);
    const options = { cwd: consumer.folder, timeout: PATIENCE };
    const program = promisify(execFile)(
      command,
      [...args, "program.js", one.adapter, url],
      options,
    );
    const { stdout } = await program;
    if (stdout.includes("arrived")) return { installed };
    return { installed, failure: `it printed ${JSON.stringify(stdout)}` };
  } catch (cause) {
    const {
      stderr = "",
      stdout = "",
      message,
    } = cause as Error & { stderr?: string; stdout?: string };
    const late = stdout.includes("arrived") ? "everything arrived, and it did not end: " : "";
    const failure = `${late}${stderr.trim() || message}`.split("\n").slice(0, 12).join("\n  ");
    return { installed, failure };
  }
}

const titleOf = ({ runtime, adapter, client }: Case): string =>
  [runtime.name, adapter, ...(client ? [`${client.name} ${client.range}`] : [])].join(", ");

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const chosen = CASES.filter((one) =>
  titleOf(one).toLowerCase().includes(values.only.toLowerCase()),
);
if (chosen.length === 0) {
  const titles = CASES.map(titleOf).join("\n  ");
  throw new Error(`[runtimes] nothing is called "${values.only}": choose of\n  ${titles}`);
}

const isNeeded = (adapter: Case["adapter"]) => chosen.some((one) => one.adapter === adapter);
const requirements = {
  memory: undefined,
  redis: isNeeded("redis") ? requireBroker("Redis", findRedis()) : undefined,
  "google-pubsub": isNeeded("google-pubsub")
    ? requireBroker("Google Pub/Sub emulator", findGooglePubsub())
    : undefined,
} satisfies Record<Case["adapter"], unknown>;

await using workshop = await openWorkshop();
await using redis = requirements.redis?.skip === false ? await startRedis() : undefined;
await using emulator =
  requirements["google-pubsub"]?.skip === false ? await startGooglePubsub() : undefined;
const URLS = {
  memory: "memory:",
  redis: `redis://${redis?.host}:${redis?.port}`,
  "google-pubsub": `google-pubsub://test-project?endpoint=${emulator?.host}:${emulator?.port}`,
} satisfies Record<Case["adapter"], string>;

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const one of chosen) {
  const title = titleOf(one).padEnd(54);
  const requirement = requirements[one.adapter];
  if (requirement?.skip === true) {
    counts.skipped += 1;
    console.log(`– ${title} ${requirement.title}`);
    continue;
  }
  const { installed, failure } = await runCase(workshop, one, URLS[one.adapter]);
  counts[failure === undefined ? "passed" : "failed"] += 1;
  const row = `${title} ${installed.join(", ")}`;
  console.log(failure === undefined ? `✓ ${row}` : `✗ ${row}\n  ${failure}`);
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
if (counts.failed > 0) process.exitCode = 1;
