import { basename } from "node:path";
import { findExecutable } from "./find-executable.ts";
import type { BrokerAvailability } from "./find-executable.ts";
import { BrokerError } from "./broker-error.ts";
import { createCertificate } from "./certificate.ts";
import type { Certificate } from "./certificate.ts";
import { freePort } from "./free-port.ts";
import { openResp } from "./resp.ts";
import type { RespConnection, RespReply } from "./resp.ts";
import { createServerProcess } from "./server-process.ts";

let found: BrokerAvailability | undefined;

/** Whether a Redis (or Valkey) can be started here. `TELEPORTAL_REDIS_SERVER` names one. Looked for once. */
export function findRedis(): BrokerAvailability {
  found ??= findExecutable({
    variable: "TELEPORTAL_REDIS_SERVER",
    names: ["redis-server", "valkey-server"],
    debianPackage: "redis-server",
    docker: { image: "redis:7", command: "redis-server" },
  });
  return found;
}

export interface RedisSettings {
  readonly password?: string;
  /** Also listens with TLS, on a port and with a certificate of its own; needs the `openssl` command. */
  readonly tls?: boolean;
  /** Further arguments of redis-server. */
  readonly args?: readonly string[];
  /** @default a free one */
  readonly port?: number;
}

/** A Redis of a test's own: in memory, on a port and in a folder of its own. */
export interface RedisBroker extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly url: string;
  /** Such as `7.0.15`. */
  readonly version: string;
  /** Where TLS is spoken, and the certificate to trust for `localhost`; if it was asked for. */
  readonly tls: { readonly url: string; readonly ca: string } | undefined;
  /** One command over a connection of its own. */
  command(...args: readonly string[]): Promise<RespReply>;
  /** Watches every command from now on. */
  monitor(): Promise<RedisMonitor>;
  /** Starts it again, empty, on the same port; kills it before if need be. */
  restart(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Ends it and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

export interface RedisMonitor {
  /** The commands so far: name in upper case, then the arguments; escapes (`\x00`) as MONITOR prints them. */
  readonly commands: readonly (readonly string[])[];
  /** Resolves when everything that Redis has carried out before this call is in `commands`. */
  settled(): Promise<void>;
  stop(): void;
}

/** @throws BrokerError if there is none (see `findRedis`), or if it does not come up. */
export async function startRedis(settings: RedisSettings = {}): Promise<RedisBroker> {
  const availability = findRedis();
  if (!availability.available) throw new BrokerError("there is no Redis", availability.help);
  const { password, args = [] } = settings;
  const port = settings.port ?? (await freePort());
  const tlsPort = settings.tls ? await freePort() : undefined;
  const certificate = settings.tls ? await createCertificate() : undefined;

  async function openAuthorized(): Promise<RespConnection> {
    const connection = await openResp(port);
    if (password !== undefined) await connection.command("AUTH", password);
    return connection;
  }

  async function command(...words: readonly string[]): Promise<RespReply> {
    const connection = await openAuthorized();
    try {
      return await connection.command(...words);
    } finally {
      connection.close();
    }
  }

  const server = await createServerProcess({
    name: "redis",
    launcher: availability.launcher,
    args: (folder) => [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dbfilename",
      basename(folder),
      "--save",
      "",
      "--appendonly",
      "no",
      ...(password === undefined ? [] : ["--requirepass", password]),
      ...(certificate === undefined ? [] : tlsArgs(certificate, tlsPort)),
      ...args,
    ],
    async probe(folder) {
      await command("PING");
      const name = await command("CONFIG", "GET", "dbfilename");
      if (!Array.isArray(name) || name[1] !== basename(folder)) {
        throw new BrokerError(`another Redis answers on port ${port}`, "choose another port");
      }
    },
  });
  await server.start();
  const version = /redis_version:(\S+)/.exec(String(await command("INFO", "server")))?.[1] ?? "?";

  async function stop(): Promise<void> {
    await server.stop();
    await certificate?.remove();
  }

  const credentials = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return {
    host: "127.0.0.1",
    port,
    url: `redis://${credentials}127.0.0.1:${port}`,
    version,
    tls: certificate && {
      url: `rediss://${credentials}localhost:${tlsPort}`,
      ca: certificate.certificate,
    },
    command,
    async monitor() {
      const connection = await openAuthorized();
      const commands: string[][] = [];
      const fences = new Map<string, () => void>();
      connection.onPush((reply) => {
        const words = parseMonitorLine(String(reply));
        if (words === undefined) return;
        const fence = words[0] === "ECHO" ? fences.get(words[1] ?? "") : undefined;
        if (fence === undefined) commands.push(words);
        else fence();
      });
      await connection.command("MONITOR");
      return {
        commands,
        async settled() {
          const mark = `fence-${fences.size}`;
          const passed = new Promise<void>((resolve) => fences.set(mark, resolve));
          await command("ECHO", mark);
          await passed;
        },
        stop: () => connection.close(),
      };
    },
    async restart() {
      if (server.running) await server.kill();
      await server.start();
    },
    kill: server.kill,
    pause: server.pause,
    resume: server.resume,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function tlsArgs({ certificateFile, keyFile }: Certificate, port: number | undefined): string[] {
  return [
    "--tls-port",
    String(port),
    "--tls-cert-file",
    certificateFile,
    "--tls-key-file",
    keyFile,
    "--tls-ca-cert-file",
    certificateFile,
    "--tls-auth-clients",
    "no",
  ];
}

/** A line such as `1700000000.1 [0 127.0.0.1:5000] "PUBLISH" "channel" "…"`. */
function parseMonitorLine(line: string): string[] | undefined {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word ?? "");
  const [name, ...rest] = words;
  return name === undefined ? undefined : [name.toUpperCase(), ...rest];
}
