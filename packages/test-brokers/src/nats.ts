import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { BrokerError } from "./broker-error.ts";
import { createCertificate } from "./certificate.ts";
import { findExecutable } from "./find-executable.ts";
import type { BrokerAvailability } from "./find-executable.ts";
import { freePort } from "./free-port.ts";
import { createServerProcess } from "./server-process.ts";

let found: BrokerAvailability | undefined;

/** Whether a NATS server can be started here. `TELEPORTAL_NATS_SERVER` names one. Looked for once. */
export function findNats(): BrokerAvailability {
  found ??= findExecutable({
    variable: "TELEPORTAL_NATS_SERVER",
    names: ["nats-server"],
    debianPackage: "nats-server",
    // With a shell: a container sees no file of this machine, so its configuration has to be written inside.
    docker: { image: "nats:2-alpine", command: "sh" },
  });
  return found;
}

/** Which subjects may be used; names and wildcards as in the server's configuration. */
export interface NatsPermission {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** Who may connect, by password or by the public half of an NKey, and what for. */
export type NatsUser = (
  | { readonly user: string; readonly password: string }
  | { readonly nkey: string }
) & {
  /** @default everything is allowed */
  readonly permissions?: {
    readonly publish?: NatsPermission;
    readonly subscribe?: NatsPermission;
  };
};

export interface NatsSettings {
  /** Asked of every client. Not together with `users`. */
  readonly token?: string;
  readonly users?: readonly NatsUser[];
  /** Every client has to speak TLS; with a certificate of its own, which needs the `openssl` command. */
  readonly tls?: boolean;
  /** The most bytes a message may have. @default the server's, 1 MiB */
  readonly maxPayload?: number;
  /** @default a free one */
  readonly port?: number;
  /** Further top-level fields of the server's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A NATS server of a test's own, on ports and in a folder of its own. */
export interface NatsBroker extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** With the token, or the name and password of the first user that has them. */
  readonly url: string;
  /** The certificate to trust for `localhost`; if TLS was asked for. */
  readonly ca: string | undefined;
  /** Such as `2.9.10`. */
  readonly version: string;
  /** A page of the monitoring port, such as `/connz?subs=1`. */
  monitor(path: string): Promise<Readonly<Record<string, unknown>>>;
  /** The subjects that clients are subscribed to at this moment, sorted, as often as there are subscriptions. */
  subjects(): Promise<string[]>;
  /** How many clients are connected at this moment. */
  connections(): Promise<number>;
  /** Starts it again, on the same ports; kills it before if need be. What is given replaces what it had. */
  restart(changes?: Pick<NatsSettings, "token" | "users" | "maxPayload" | "config">): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Ends it and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/** Milliseconds: a paused server takes connections and answers nothing. */
const MONITOR_TIMEOUT = 2000;

/** Writes the files that its arguments bring in pairs of name and content, then becomes the server. */
const WRITE_FILES_AND_RUN = `
while [ "$#" -gt 0 ]; do printf %s "$2" >"/tmp/$1"; shift 2; done
cd /tmp && exec nats-server -c server.conf`;

/** @throws BrokerError if there is none (see `findNats`), or if it does not come up. */
export async function startNats(settings: NatsSettings = {}): Promise<NatsBroker> {
  const availability = findNats();
  if (!availability.available) throw new BrokerError("there is no NATS", availability.help);
  const { launcher } = availability;
  const port = settings.port ?? (await freePort());
  const monitoringPort = await freePort();
  const certificate = settings.tls ? await createCertificate() : undefined;
  // Unlike the port it tells this server from any other that answers there.
  const name = `test-${port}-${monitoringPort}-${process.pid}`;
  let current = settings;
  let version = "";

  function args(folder: string): readonly string[] {
    const files = {
      "server.conf": JSON.stringify({
        ...configurationOf(current),
        server_name: name,
        listen: `127.0.0.1:${port}`,
        http: `127.0.0.1:${monitoringPort}`,
        ...(certificate && { tls: { cert_file: "certificate.pem", key_file: "key.pem" } }),
      }),
      ...(certificate && {
        "certificate.pem": certificate.certificate,
        "key.pem": readFileSync(certificate.keyFile, "utf8"),
      }),
    } satisfies Record<string, string>;
    if (launcher.type === "docker") {
      return ["-c", WRITE_FILES_AND_RUN, "sh", ...Object.entries(files).flat()];
    }
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
    return ["-c", "server.conf"];
  }

  async function monitor(path: string): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(`http://127.0.0.1:${monitoringPort}${path}`, {
      signal: AbortSignal.timeout(MONITOR_TIMEOUT),
    });
    return (await response.json()) as Record<string, unknown>;
  }

  const server = await createServerProcess({
    name: "nats",
    launcher,
    args,
    async probe() {
      const about = await monitor("/varz");
      if (about["server_name"] !== name) {
        throw new BrokerError(`another NATS answers on port ${port}`, "choose another port");
      }
      version = String(about["version"]);
      await greeting(port);
    },
  });

  async function stop(): Promise<void> {
    await server.stop();
    await certificate?.remove();
  }

  try {
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    host: "127.0.0.1",
    port,
    get url() {
      const host = certificate === undefined ? "127.0.0.1" : "localhost";
      return `${certificate === undefined ? "nats" : "tls"}://${credentialsOf(current)}${host}:${port}`;
    },
    ca: certificate?.certificate,
    get version() {
      return version;
    },
    monitor,
    async subjects() {
      const { subscriptions_list: list = [] } = await monitor("/subsz?subs=1&limit=1000000");
      return (list as { subject: string }[])
        .map(({ subject }) => subject)
        .filter((subject) => !subject.startsWith("$"))
        .toSorted((a, b) => (a < b ? -1 : 1));
    },
    async connections() {
      return Number((await monitor("/connz"))["num_connections"]);
    },
    async restart(changes = {}) {
      current = { ...current, ...changes };
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

function configurationOf({ token, users, maxPayload, config }: NatsSettings) {
  return {
    ...config,
    ...(maxPayload !== undefined && { max_payload: maxPayload }),
    ...(token !== undefined && { authorization: { token } }),
    ...(users && { authorization: { users } }),
  };
}

function credentialsOf({ token, users = [] }: NatsSettings): string {
  if (token !== undefined) return `${encodeURIComponent(token)}@`;
  for (const user of users) {
    if ("nkey" in user) continue;
    return `${encodeURIComponent(user.user)}:${encodeURIComponent(user.password)}@`;
  }
  return "";
}

/** Resolves when the server greets its clients: its monitoring port answers a moment before. */
async function greeting(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "data", { signal: AbortSignal.timeout(MONITOR_TIMEOUT) });
  } finally {
    socket.destroy();
  }
}
