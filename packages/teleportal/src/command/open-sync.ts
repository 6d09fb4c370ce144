import { SyncError } from "@teleportal/sync-core";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { UsageError } from "./usage-error.ts";

/**
 * The adapters by URL scheme. Every adapter exports its `…FromConnectionString` under the same signature, so none is
 * named anywhere else; one is loaded when its scheme is asked for.
 */
const ADAPTERS: Readonly<Record<string, { package: string; client?: string; export: string }>> = {
  memory: { package: "@teleportal/sync-memory", export: "createMemory" },
  redis: { package: "@teleportal/sync-redis", client: "ioredis", export: "createRedis" },
  rediss: { package: "@teleportal/sync-redis", client: "ioredis", export: "createRedis" },
  nats: {
    package: "@teleportal/sync-nats",
    client: "@nats-io/transport-node",
    export: "createNats",
  },
  tls: {
    package: "@teleportal/sync-nats",
    client: "@nats-io/transport-node",
    export: "createNats",
  },
  "google-pubsub": {
    package: "@teleportal/sync-google-pubsub",
    client: "@google-cloud/pubsub",
    export: "createGooglePubsub",
  },
};

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
  const adapter = ADAPTERS[scheme];
  if (adapter === undefined) {
    const known = Object.keys(ADAPTERS)
      .map((name) => `${name}:`)
      .join(", ");
    throw new UsageError(`--sync: unknown scheme in "${redactUrl(url)}"; use one of ${known}`);
  }
  const open = await load(adapter);
  return open(url, undefined, logger, keyPrefix === undefined ? {} : { keyPrefix });
}

async function load(adapter: {
  package: string;
  client?: string;
  export: string;
}): Promise<OpenFromUrl> {
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

/** The URL without its password, to print. */
export function redactUrl(url: string): string {
  return url.replace(/(\/\/[^/?#@]*?):[^/?#]*@/, "$1:***@");
}
