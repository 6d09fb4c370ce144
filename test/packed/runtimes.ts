/**
 * The packed packages under other runtimes, and with every major version of their brokers' clients:
 *
 *     npm run runtimes
 *     npm run runtimes -- --only bun
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { parseArgs, promisify } from "node:util";
import { startGooglePubsub, startRedis } from "@teleportal/test-brokers";
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
  // Needs Node 22.
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

async function runCase(workshop: Workshop, one: Case, url: string): Promise<string | undefined> {
  try {
    const consumer = await install(workshop, one);
    await consumer.write("program.js", PROGRAM);
    const [command, ...args] = one.runtime.command(consumer.folder);
    const options = { cwd: consumer.folder, timeout: PATIENCE };
    const program = promisify(execFile)(
      command,
      [...args, "program.js", one.adapter, url],
      options,
    );
    const { stdout } = await program;
    return stdout.includes("arrived") ? undefined : `it printed ${JSON.stringify(stdout)}`;
  } catch (cause) {
    const {
      stderr = "",
      stdout = "",
      message,
    } = cause as Error & { stderr?: string; stdout?: string };
    const late = stdout.includes("arrived") ? "everything arrived, and it did not end: " : "";
    return `${late}${stderr.trim() || message}`.split("\n").slice(0, 12).join("\n  ");
  }
}

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
await using workshop = await openWorkshop();
await using redis = await startRedis();
await using emulator = await startGooglePubsub();
const URLS = {
  memory: "memory:",
  redis: `redis://${redis.host}:${redis.port}`,
  "google-pubsub": `google-pubsub://test-project?endpoint=${emulator.host}:${emulator.port}`,
} satisfies Record<Case["adapter"], string>;

for (const one of CASES) {
  const title = [
    one.runtime.name,
    one.adapter,
    ...(one.client ? [`${one.client.name} ${one.client.range}`] : []),
  ];
  const line = title.join(", ");
  if (!line.toLowerCase().includes(values.only.toLowerCase())) continue;
  const failure = await runCase(workshop, one, URLS[one.adapter]);
  console.log(failure === undefined ? `✓ ${line}` : `✗ ${line}\n  ${failure}`);
  if (failure !== undefined) process.exitCode = 1;
}
