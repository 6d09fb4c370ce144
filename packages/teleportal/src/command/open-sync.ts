import { SyncError } from "@teleportal/sync-core";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { UsageError } from "./usage-error.ts";

interface Adapter {
  readonly schemes: readonly string[];
  readonly package: string;
  /** The broker's client that it needs beside itself. */
  readonly client?: string;
  /** What its functions' names begin with. */
  readonly export: string;
}

/**
 * The adapters by URL scheme. Every adapter exports its `…FromConnectionString` under the same signature, so none is
 * named anywhere else; one is loaded when its scheme is asked for.
 */
const ADAPTERS: readonly Adapter[] = [
  { schemes: ["memory"], package: "@teleportal/sync-memory", export: "createMemory" },
  {
    schemes: [
      "redis",
      "rediss",
      "redis+cluster",
      "rediss+cluster",
      "redis+sentinel",
      "rediss+sentinel",
    ],
    package: "@teleportal/sync-redis",
    client: "ioredis",
    export: "createRedis",
  },
  {
    schemes: ["nats", "tls"],
    package: "@teleportal/sync-nats",
    client: "@nats-io/transport-node",
    export: "createNats",
  },
  {
    schemes: ["google-pubsub"],
    package: "@teleportal/sync-google-pubsub",
    client: "@google-cloud/pubsub",
    export: "createGooglePubsub",
  },
];

type OpenFromUrl = (
  url: string,
  context: undefined,
  logger: Logger,
  settings: { readonly keyPrefix?: string },
) => Promise<SyncTransportFactory<undefined>>;

/** @throws UsageError for an unknown scheme; SyncError if the adapter is not installed. */
export async function openSync(
  url: string,
  keyPrefix: string | undefined,
  logger: Logger,
): Promise<SyncTransportFactory<undefined>> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? "";
  const adapter = ADAPTERS.find(({ schemes }) => schemes.includes(scheme));
  if (adapter === undefined) {
    const known = ADAPTERS.flatMap(({ schemes }) => schemes.map((name) => `${name}:`)).join(", ");
    // Without what follows: it may hold a password.
    const what = scheme === "" ? "no URL" : `unknown scheme "${scheme}:"`;
    throw new UsageError(`--sync: ${what}; use one of ${known}`);
  }
  const open = await load(adapter);
  return open(url, undefined, logger, keyPrefix === undefined ? {} : { keyPrefix });
}

async function load(adapter: Adapter): Promise<OpenFromUrl> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(adapter.package)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new SyncError(
      "teleportal",
      `${adapter.package} cannot be loaded`,
      ["npm install", adapter.package, adapter.client].filter(Boolean).join(" "),
      cause,
    );
  }
  const name = `${adapter.export}ServerSyncTransportFactoryFromConnectionString`;
  const open = module[name];
  if (typeof open !== "function") {
    throw new SyncError(
      "teleportal",
      `${adapter.package} has no ${name}`,
      `install a version of it that fits this one`,
    );
  }
  return open as OpenFromUrl;
}

/** The URL without its password, to print; rather too little than a password that was not percent-encoded. */
export function redactUrl(url: string): string {
  return url.replace(/(\/\/[^/?#@]*?):.*@/, "$1:***@");
}
