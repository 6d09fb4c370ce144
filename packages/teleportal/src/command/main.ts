import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { describeCause } from "@teleportal/sync-core";
import { parseOrigin } from "../node/origin.ts";
import { createStderrLogger, isLogLevel } from "./stderr-logger.ts";
import type { LogLevel } from "./stderr-logger.ts";
import { serve } from "./serve.ts";
import type { ServeOptions, Serving } from "./serve.ts";
import { UsageError } from "./usage-error.ts";

const USAGE = `teleportal serve [options]

  --port P          the port to listen on (default 1234; 0 for any free one)
  --host H          the address to listen on (default 127.0.0.1)
  --sync URL        keeps instances in step (default none: a single instance):
                    memory:
                    redis://HOST:PORT/DB, rediss://… with TLS
                    redis+cluster://HOST:PORT,HOST:PORT, redis+sentinel://HOST:PORT,HOST:PORT/MASTER
                    nats://HOST:PORT,nats://HOST:PORT, tls://… with TLS
                    google-pubsub://PROJECT, google-pubsub://PROJECT?endpoint=HOST:PORT
  --allow-origin O  an origin, such as https://app.example, whose pages may connect; again for more
                    (default every origin)
  --key-prefix S    stands in front of every channel name (default teleportal:sync:)
  --storage NAME    memory, or file:DIRECTORY (default memory)
  --document-bytes N
                    the largest document that a client may bring, in bytes (default 67108864)
  --keep-deleted-content
                    keeps the content of what was deleted, for version histories (default: it is dropped)
  --operations-port P
                    serves /healthz, /readyz, /metrics (Prometheus) and /inspect there; 0 for any free one
                    (default none; the first two are on the other port as well)
  --log-level L     trace, debug, info, warn or error (default info)

Everybody who reaches the port may read and write every document: put a check in front of it,
or embed Server with your own checkPermission.

teleportal --help | --version
`;

/** How long everything may take to be stored, said and closed after SIGTERM, in milliseconds. */
const DRAIN_TIMEOUT = 5000;

type Command =
  | { readonly type: "help" }
  | { readonly type: "version" }
  | { readonly type: "serve"; readonly options: ServeOptions; readonly logLevel: LogLevel };

/** @throws UsageError */
function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help) return { type: "help" };
  if (values.version) return { type: "version" };
  const [name, ...rest] = positionals;
  if (name !== "serve") {
    throw new UsageError(name === undefined ? "no command" : `unknown command "${name}"`);
  }
  if (rest.length > 0) throw new UsageError(`unexpected "${rest.join(" ")}"`);
  const logLevel = values["log-level"];
  if (!isLogLevel(logLevel)) throw new UsageError(`--log-level: unknown level "${logLevel}"`);
  return {
    type: "serve",
    logLevel,
    options: {
      port: readPort("--port", values.port),
      host: values.host,
      sync: values.sync,
      allowedOrigins: values["allow-origin"]?.map(readOrigin),
      keyPrefix: values["key-prefix"],
      storage: values.storage,
      documentBytes:
        values["document-bytes"] === undefined
          ? undefined
          : readBytes("--document-bytes", values["document-bytes"]),
      keepDeletedContent: values["keep-deleted-content"],
      operationsPort:
        values["operations-port"] === undefined
          ? undefined
          : readPort("--operations-port", values["operations-port"]),
    },
  };
}

/** @throws UsageError */
function readPort(flag: string, value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new UsageError(`${flag}: "${value}" is no port; use 0 to 65535`);
  }
  return Number(value);
}

/** @throws UsageError */
function readBytes(flag: string, value: string): number {
  const bytes = Number(value);
  if (!/^\d+$/.test(value) || bytes === 0 || !Number.isSafeInteger(bytes)) {
    throw new UsageError(`${flag}: "${value}" is no number of bytes; use a whole number above 0`);
  }
  return bytes;
}

/** @throws UsageError */
function readOrigin(value: string): string {
  try {
    return parseOrigin(value);
  } catch (cause) {
    throw new UsageError(`--allow-origin: ${describeCause(cause)}`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: "string", default: "1234" },
        host: { type: "string", default: "127.0.0.1" },
        sync: { type: "string" },
        "allow-origin": { type: "string", multiple: true },
        "key-prefix": { type: "string" },
        storage: { type: "string", default: "memory" },
        "document-bytes": { type: "string" },
        "keep-deleted-content": { type: "boolean", default: false },
        "operations-port": { type: "string" },
        "log-level": { type: "string", default: "info" },
        help: { type: "boolean", short: "h", default: false },
        version: { type: "boolean", short: "v", default: false },
      },
    });
  } catch (cause) {
    throw new UsageError(describeCause(cause), { cause });
  }
}

function version(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}

/** Runs until a signal has been answered, or until what was asked for is printed. Sets `process.exitCode`. */
export async function main(args: readonly string[]): Promise<void> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const command = parseCommand(args);
    switch (command.type) {
      case "help":
        print(USAGE);
        return;
      case "version":
        print(version());
        return;
      case "serve":
        drainOnSignal(await serve(command.options, createStderrLogger(command.logLevel), print));
    }
  } catch (error) {
    const usage = error instanceof UsageError;
    process.stderr.write(
      // In full: it may be an adapter that says it.
      `teleportal: ${error instanceof Error ? error.message : describeCause(error)}${usage ? "; see teleportal --help" : ""}\n`,
    );
    process.exitCode = usage ? 2 : 1;
  }
}

function drainOnSignal(serving: Serving): void {
  let draining = false;

  function drain(): void {
    if (draining) return;
    draining = true;
    const timer = setTimeout(() => {
      process.stderr.write(`teleportal: not drained within ${DRAIN_TIMEOUT} ms: leaving now\n`);
      process.exit(1);
    }, DRAIN_TIMEOUT);
    void serving.close().then(
      () => clearTimeout(timer),
      (error: unknown) => {
        process.stderr.write(`teleportal: closing failed: ${describeCause(error)}\n`);
        process.exit(1);
      },
    );
  }

  process.on("SIGTERM", drain);
  process.on("SIGINT", drain);
}
