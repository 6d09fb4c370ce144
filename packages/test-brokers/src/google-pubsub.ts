import { spawnSync } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import { connect } from "node:net";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { BrokerError } from "./broker-error.ts";
import { findExecutable } from "./find-executable.ts";
import type { BrokerAvailability, Launcher } from "./find-executable.ts";
import { freePort } from "./free-port.ts";
import { createServerProcess } from "./server-process.ts";

/** Where Google Cloud's SDK is, as its installers put it: archive, apt and dnf, image, snap, Homebrew. */
const SDK_FOLDERS = [
  join(homedir(), "google-cloud-sdk"),
  "/usr/lib/google-cloud-sdk",
  "/usr/lib64/google-cloud-sdk",
  "/usr/share/google-cloud-sdk",
  "/usr/local/google-cloud-sdk",
  "/opt/google-cloud-sdk",
  "/google-cloud-sdk",
  "/snap/google-cloud-cli/current",
  "/snap/google-cloud-sdk/current",
  "/usr/local/share/google-cloud-sdk",
  "/opt/homebrew/share/google-cloud-sdk",
];

const VARIABLE = "TELEPORTAL_PUBSUB_EMULATOR";

let found: BrokerAvailability | undefined;

/**
 * Whether Google's own Pub/Sub emulator can be started here. `TELEPORTAL_PUBSUB_EMULATOR` names its
 * `cloud-pubsub-emulator` script. Looked for once.
 */
export function findGooglePubsub(): BrokerAvailability {
  found ??= find();
  return found;
}

function find(): BrokerAvailability {
  const availability = findExecutable({
    variable: VARIABLE,
    names: ["cloud-pubsub-emulator"],
    folders: SDK_FOLDERS.map((folder) => join(folder, "platform/pubsub-emulator/bin")),
    docker: {
      image: "gcr.io/google.com/cloudsdktool/google-cloud-cli:emulators",
      command: "gcloud",
    },
  });
  if (!availability.available) {
    return {
      available: false,
      help: `gcloud components install pubsub-emulator, or set ${VARIABLE}`,
    };
  }
  if (availability.launcher.type === "program" && !javaRuns()) {
    return {
      available: false,
      help: "the emulator needs Java: apt-get install default-jre-headless",
    };
  }
  return availability;
}

function javaRuns(): boolean {
  const home = process.env["JAVA_HOME"];
  const java = home === undefined || home === "" ? "java" : join(home, "bin/java");
  return spawnSync(java, ["-version"], { stdio: "ignore", timeout: 10_000 }).status === 0;
}

export interface GooglePubsubSettings {
  /** @default a free one */
  readonly port?: number;
  /** @default "test-project" */
  readonly projectId?: string;
}

/** An emulator of a test's own: in memory, on a port of its own, without credentials or TLS. */
export interface GooglePubsubBroker extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** What clients call `apiEndpoint`, and `PUBSUB_EMULATOR_HOST`: `127.0.0.1:8085`. */
  readonly endpoint: string;
  readonly projectId: string;
  /** The emulator's own; undefined in a container, where the file that says it cannot be seen. */
  readonly version: string | undefined;
  /**
   * One call of the REST API, below `/v1/projects/{projectId}`; resolves with the JSON of the answer.
   *
   * @example await broker.rest("GET", "topics")
   * @throws BrokerError if the answer is an error.
   */
  rest(method: string, path: string, body?: unknown): Promise<unknown>;
  /** The names of the project's subscriptions, without the path in front. */
  subscriptions(): Promise<string[]>;
  /** The names of the project's topics, without the path in front. */
  topics(): Promise<string[]>;
  /** Starts it again, empty, on the same port; kills it before if need be. */
  restart(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Ends it and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/** A Java virtual machine comes up slowly where many do at once. */
const READY_TIMEOUT = 60_000;

/** @throws BrokerError if there is none (see `findGooglePubsub`), or if it does not come up. */
export async function startGooglePubsub(
  settings: GooglePubsubSettings = {},
): Promise<GooglePubsubBroker> {
  const availability = findGooglePubsub();
  if (!availability.available) {
    throw new BrokerError("there is no Google Pub/Sub emulator", availability.help);
  }
  const { launcher } = availability;
  const { projectId = "test-project" } = settings;
  const port = settings.port ?? (await freePort());
  const endpoint = `127.0.0.1:${port}`;

  async function rest(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://${endpoint}/v1/projects/${projectId}/${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new BrokerError(`${method} ${path} was answered ${response.status}`, text);
    }
    return JSON.parse(text);
  }

  async function names(kind: "topics" | "subscriptions"): Promise<string[]> {
    const answer = (await rest("GET", `${kind}?pageSize=1000`)) as Partial<
      Record<typeof kind, { name: string }[]>
    >;
    return (answer[kind] ?? []).map(({ name }) => basename(name));
  }

  const server = await createServerProcess({
    name: "google-pubsub",
    launcher,
    readyTimeout: READY_TIMEOUT,
    args: () => argsOf(launcher, port, projectId),
    // The first call of the API loads most of the program: after it, a test's own calls are fast.
    probe: () => rest("GET", "topics"),
  });

  async function start(): Promise<void> {
    // An emulator whose port is taken goes on running, and the other would answer the probe.
    if (await isTaken(port)) {
      throw new BrokerError(`another server listens on port ${port}`, "choose another port");
    }
    await server.start();
  }
  try {
    await start();
  } catch (error) {
    await server.stop();
    throw error;
  }

  return {
    host: "127.0.0.1",
    port,
    endpoint,
    projectId,
    version: versionOf(launcher),
    rest,
    subscriptions: () => names("subscriptions"),
    topics: () => names("topics"),
    async restart() {
      await server.kill();
      await start();
    },
    kill: server.kill,
    pause: server.pause,
    resume: server.resume,
    stop: server.stop,
    [Symbol.asyncDispose]: server.stop,
  };
}

/**
 * The script takes its arguments as they are, and `exec`s Java, so that signals to it reach the server. The image has
 * no fixed place for the script, but `gcloud` on its PATH.
 */
function argsOf(launcher: Launcher, port: number, projectId: string): string[] {
  if (launcher.type === "program") return ["--host=127.0.0.1", `--port=${port}`];
  const start = ["beta", "emulators", "pubsub", "start"];
  return [...start, `--project=${projectId}`, `--host-port=127.0.0.1:${port}`];
}

/** The script says it nowhere, but is next to `lib/cloud-pubsub-emulator-{version}-all.jar`. */
function versionOf(launcher: Launcher): string | undefined {
  if (launcher.type !== "program") return undefined;
  try {
    const lib = join(dirname(realpathSync(launcher.program)), "../lib");
    return readdirSync(lib)
      .map((file) => /^cloud-pubsub-emulator-(.+?)(-all)?\.jar$/.exec(file)?.[1])
      .find((version) => version !== undefined);
  } catch {
    // A wrapper of somebody's own, in a folder of its own: it is unknown then.
    return undefined;
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
