import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  findNats,
  findRedis,
  requireBroker,
  startNats,
  startRedis,
} from "@teleportal/test-brokers";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publishedPackages } from "../../scripts/pack.js";
import { asModule, codeBlocks } from "./code-blocks.ts";
import { openWorkshop } from "./consumer.ts";
import type { Consumer, PackageManager, Workshop } from "./consumer.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const redis = requireBroker("Redis", findRedis());
const nats = requireBroker("NATS", findNats());

/** What a consumer brings itself. */
const TOOLS = {
  "@types/node": "^20.19.0",
  "@types/ws": "^8.18.1",
  typescript: "5.9.3",
  ws: "^8.18.0",
  "y-websocket": "3.1.0",
  yjs: "^13.6.33",
};

const BROKER_CLIENTS = ["ioredis", "@nats-io", "nats", "@google-cloud"];

function installedClients({ folder }: Consumer): string[] {
  // pnpm has those that nobody asked for by name in the second.
  const folders = ["node_modules", "node_modules/.pnpm/node_modules"];
  return BROKER_CLIENTS.filter((name) =>
    folders.some((modules) => existsSync(join(folder, modules, name))),
  );
}

/** Two servers on two ports, an editor on each: what one types the other has. */
const TWO_SERVERS = `
import { listen, Server } from "teleportal";
import { createRedisServerSyncTransportFactoryFromConnectionString } from "teleportal/server";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { createMemoryServerSyncTransportFactoryFromConnectionString } from "@teleportal/sync-memory";
import type { ServerSyncTransportFactory, YTransport } from "teleportal/server";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const syncUrl = process.env["SYNC_URL"] ?? "";

async function start(): Promise<{ url: string; close(): Promise<void> }> {
  const factory: ServerSyncTransportFactory<object> & { close(): Promise<void> } =
    syncUrl.startsWith("memory:")
      ? await createMemoryServerSyncTransportFactoryFromConnectionString(syncUrl, {}, console)
      : await createRedisServerSyncTransportFactoryFromConnectionString(syncUrl, {}, console);
  const transport: YTransport<object, object> = await factory.createTransport("another");
  await transport.writable.close();
  const server = new Server<{ readonly user: string }>({
    getStorage: () => createMemoryDocumentStorage(),
    checkPermission: ({ context, type }) => context.user === "me" || type === "read",
    syncTransportFactory: factory,
  });
  const listener = await listen(server, { port: 0, context: () => ({ user: "me" }) });
  return {
    url: listener.url,
    async close() {
      await listener.close();
      await server.close();
      await factory.close();
    },
  };
}

function edit(url: string): { doc: Y.Doc; end(): void } {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url, "doc", doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  });
  return { doc, end: () => (provider.destroy(), doc.destroy()) };
}

const servers = [await start(), await start()] as const;
const [here, there] = [edit(servers[0].url), edit(servers[1].url)];
const arrived = new Promise<void>((resolve) => {
  there.doc.on("update", () => there.doc.getText("text").toString() === "typed here" && resolve());
});
here.doc.getText("text").insert(0, "typed here");
await arrived;
for (const editor of [here, there]) editor.end();
for (const server of servers) await server.close();
console.log("arrived");
`;

function compilerOptions(module: "nodenext" | "bundler"): object {
  return {
    target: "es2022",
    lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
    module: module === "nodenext" ? "nodenext" : "esnext",
    moduleResolution: module,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    noPropertyAccessFromIndexSignature: true,
    skipLibCheck: false,
    types: ["node"],
    outDir: "built",
  };
}

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
}, 300_000);
afterAll(() => workshop[Symbol.asyncDispose]());

describe.each<PackageManager>(["npm", "pnpm"])(
  "a project that installs teleportal with %s",
  (manager) => {
    let consumer: Consumer;
    // Compiled once: what each needs that runs it.
    let compiled: Promise<string> | undefined;
    const compile = () => (compiled ??= consumer.run("tsc", "-p", "tsconfig.nodenext.json"));
    const runOver = async (syncUrl: string) => {
      await compile();
      const program = `process.env.SYNC_URL = "${syncUrl}"; await import("./built/server.js");`;
      await consumer.write("run.js", program);
      return consumer.run("node", "run.js");
    };

    beforeAll(async () => {
      const published = [
        "teleportal",
        "@teleportal/sync-core",
        "@teleportal/sync-memory",
        "@teleportal/sync-redis",
      ];
      consumer = await workshop.install(manager, published, { ...TOOLS, ioredis: "^6.0.0" });
      await consumer.write("server.ts", TWO_SERVERS);
      for (const module of ["nodenext", "bundler"] as const) {
        const config = { compilerOptions: compilerOptions(module), include: ["server.ts"] };
        await consumer.write(`tsconfig.${module}.json`, JSON.stringify(config));
      }
    }, 300_000);

    it("gets no other broker's client than that of its adapter", async () => {
      expect(installedClients(consumer)).toEqual(["ioredis"]);
    });

    it("is refused a version of its broker's client that the adapter does not know", async () => {
      const published = ["teleportal", "@teleportal/sync-core", "@teleportal/sync-redis"];
      await expect(workshop.install(manager, published, { ioredis: "^4.0.0" })).rejects.toThrow(
        manager === "npm" ? "ERESOLVE" : "ERR_PNPM_PEER_DEP_ISSUES",
      );
    }, 120_000);

    it("compiles strictly, with its libraries' types, as module resolution nodenext", async () => {
      await compile();
    }, 120_000);

    it("compiles strictly, with its libraries' types, as module resolution bundler", async () => {
      await consumer.run("tsc", "--noEmit", "-p", "tsconfig.bundler.json");
    }, 120_000);

    it("runs two servers that are in step within the process", { timeout: 120_000 }, async () => {
      expect(await runOver("memory:")).toContain("arrived");
    });

    it.skipIf(redis.skip)(
      `runs two servers that are in step over a ${redis.title}`,
      { timeout: 120_000 },
      async () => {
        await using broker = await startRedis();
        expect(await runOver(`redis://127.0.0.1:${broker.port}`)).toContain("arrived");
      },
    );

    it("has the command, which names the adapter that is missing", async () => {
      expect(await consumer.run("teleportal", "--version")).toMatch(/^\d+\.\d+\.\d+/);
      await expect(
        consumer.run("teleportal", "serve", "--port", "0", "--sync", "nats://x"),
      ).rejects.toThrow("npm install @teleportal/sync-nats");
    });
  },
);

describe("a project that installs teleportal alone", () => {
  let consumer: Consumer;
  beforeAll(async () => {
    consumer = await workshop.install("npm", ["teleportal", "@teleportal/sync-core"], {});
  }, 300_000);

  it("gets no broker's client", () => {
    expect(installedClients(consumer)).toEqual([]);
  });

  it("bundles teleportal/server without an error or a warning, and with Yjs only", async () => {
    const { warnings, metafile, outputFiles } = await build({
      stdin: { contents: 'export * from "teleportal/server";', resolveDir: consumer.folder },
      absWorkingDir: consumer.folder,
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "node",
      metafile: true,
      logLevel: "silent",
    });
    expect(warnings).toEqual([]);
    const packages = Object.keys(metafile.inputs).flatMap(
      (file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
    );
    // No Yjs: a server holds the bytes of its updates.
    expect([...new Set(packages)].sort()).toEqual(["@teleportal/sync-core", "teleportal"]);
    const size = outputFiles.reduce((sum, { contents }) => sum + contents.length, 0);
    console.log(`teleportal/server without an adapter: ${(size / 1024).toFixed(0)} KiB minified`);
  });
});

describe("the READMEs' TypeScript, in a project that has installed everything", () => {
  let consumer: Consumer;
  const documents = [
    "README.md",
    ...publishedPackages(ROOT).map(({ path }) => join(path, "README.md")),
  ];
  const blocks = documents.flatMap((document) => {
    const path = join(ROOT, document.replace(ROOT, ""));
    return codeBlocks(path.slice(ROOT.length), readFileSync(path, "utf8"));
  });

  beforeAll(async () => {
    consumer = await workshop.install("pnpm", [...workshop.tarballs.keys()], {
      ...TOOLS,
      "@google-cloud/pubsub": "^5.3.0",
      "@nats-io/transport-node": "^3.4.0",
      ioredis: "^6.0.0",
    });
    for (const [index, block] of blocks.entries()) {
      await consumer.write(`block-${index}.ts`, `// ${block.title}\n${asModule(block)}`);
    }
  }, 300_000);

  it(`compiles: ${blocks.length} blocks`, { timeout: 120_000 }, async () => {
    expect(blocks.length).toBeGreaterThan(5);
    // The types of NATS's client do not pass as strict as this.
    const options = { ...compilerOptions("nodenext"), skipLibCheck: true };
    await consumer.write(
      "tsconfig.json",
      JSON.stringify({ compilerOptions: options, include: ["block-*.ts"] }),
    );
    await consumer.run("tsc", "-p", ".");
  });

  it.skipIf(redis.skip || nats.skip)(
    "runs, where it says all that it needs",
    { timeout: 120_000 },
    async () => {
      await using redisBroker = await startRedis();
      await using natsBroker = await startNats();
      let ran = 0;
      for (const [index, block] of blocks.entries()) {
        if (asModule(block).includes("declare ") || block.code.includes("google-pubsub:")) continue;
        ran += 1;
        const code = readFileSync(join(consumer.folder, "built", `block-${index}.js`), "utf8")
          .replace("redis://localhost:6379", `redis://127.0.0.1:${redisBroker.port}`)
          .replace(
            'host: "localhost", port: 6379, password: "…"',
            `host: "127.0.0.1", port: ${redisBroker.port}`,
          )
          .replace(
            /nats:\/\/user:password@n1:4222,nats:\/\/n2:4222/,
            `nats://127.0.0.1:${natsBroker.port}`,
          )
          .replace("port: 1234", "port: 0");
        // A server runs until it is ended.
        await consumer.write(`run-${index}.js`, `${code}\nconsole.log("ran");\nprocess.exit();\n`);
        expect(await consumer.run("node", `run-${index}.js`), block.title).toContain("ran");
      }
      expect(ran).toBeGreaterThan(4);
    },
  );
});
