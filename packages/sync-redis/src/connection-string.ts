import type { RedisOptions } from "ioredis";
import { SyncError } from "@teleportal/sync-core";
import type { NodeAddress } from "./cluster-topology.ts";
import { NAME } from "./driver-traits.ts";

/** What a connection string names. */
export type ConnectionTarget =
  | { readonly type: "single"; readonly url: string }
  | { readonly type: "sentinel"; readonly options: RedisOptions }
  | {
      readonly type: "cluster";
      readonly seeds: readonly NodeAddress[];
      readonly options: RedisOptions;
    };

const EXPECTED =
  "use redis://host:6379/0, or rediss:// for TLS; for several nodes redis+cluster://host:6379,host:6379 " +
  "or redis+sentinel://host:26379,host:26379/master-name";

const CLUSTER_PORT = 6379;
/** Where a Sentinel is unless it is said otherwise. */
export const SENTINEL_PORT = 26379;

/**
 * Reads `redis[s]://…`, `redis[s]+cluster://…` and `redis[s]+sentinel://…`.
 *
 * @throws SyncError with the remedy. It never contains the string, nor has a cause that does: there is a password in it.
 */
export function parseConnectionString(text: string): ConnectionTarget {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined || !text.includes("://")) {
    throw new SyncError(NAME, "the connection string is not a URL", EXPECTED);
  }
  switch (scheme) {
    case "redis":
    case "rediss":
      if (!URL.canParse(text)) {
        const several = text.includes(",") ? "several nodes need another scheme: " : "";
        throw new SyncError(NAME, "the connection string is not a URL", several + EXPECTED);
      }
      // ioredis would let the others override what the driver relies on.
      refuseUnknown(new URL(text).searchParams, ["db", "family"]);
      return { type: "single", url: text };
    case "redis+cluster":
    case "rediss+cluster":
      return parseCluster(text, scheme);
    case "redis+sentinel":
    case "rediss+sentinel":
      return parseSentinel(text, scheme);
    default:
      throw new SyncError(NAME, `the connection string has the scheme ${scheme}:`, EXPECTED);
  }
}

function parseCluster(text: string, scheme: string): ConnectionTarget {
  const { credentials, addresses, path, query } = split(text, CLUSTER_PORT);
  if (path !== "" && path !== "0") {
    throw new SyncError(
      NAME,
      "the connection string names a database, and a cluster has only number 0",
      "leave it out, and tell deployments apart by `keyPrefix`",
    );
  }
  refuseUnknown(query, []);
  const tls = scheme.startsWith("rediss") ? { tls: {} } : {};
  return { type: "cluster", seeds: addresses, options: { ...credentials, ...tls } };
}

function parseSentinel(text: string, scheme: string): ConnectionTarget {
  const { credentials, addresses, path, query } = split(text, SENTINEL_PORT);
  if (path === "") {
    throw new SyncError(
      NAME,
      "the connection string does not say which master to ask the Sentinels for",
      "put its name behind the hosts: redis+sentinel://host:26379/mymaster",
    );
  }
  refuseUnknown(query, ["db"]);
  const db = query.get("db") ?? "0";
  if (!/^\d{1,9}$/.test(db)) {
    throw new SyncError(NAME, "the connection string's db is not a number", "use ?db=0");
  }
  const tls = scheme.startsWith("rediss")
    ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }
    : {};
  return {
    type: "sentinel",
    options: { sentinels: addresses, name: path, db: Number(db), ...credentials, ...tls },
  };
}

function refuseUnknown(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (known.includes(name)) continue;
    throw new SyncError(
      NAME,
      "the connection string has a parameter that is not known",
      known.length > 0
        ? `use only ${known.map((each) => `?${each}=`).join(", ")}; all else goes into \`options\``
        : "put it into `options`",
    );
  }
}

interface Parts {
  readonly credentials: { readonly username?: string; readonly password?: string };
  readonly addresses: NodeAddress[];
  readonly path: string;
  readonly query: URLSearchParams;
}

/** A URL with several hosts, which `URL` does not take. */
function split(text: string, defaultPort: number): Parts {
  const rest = text.slice(text.indexOf("://") + 3);
  const [, authority = "", path = "", query = ""] =
    /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?/.exec(rest) ?? [];
  const at = authority.lastIndexOf("@");
  return {
    credentials: at === -1 ? {} : parseCredentials(authority.slice(0, at)),
    addresses: authority
      .slice(at + 1)
      .split(",")
      .map((host) => parseAddress(host, defaultPort)),
    path: decode(path.replace(/\/$/, ""), "path"),
    query: new URLSearchParams(query),
  };
}

function parseCredentials(text: string): Parts["credentials"] {
  const colon = text.indexOf(":");
  const username = decode(colon === -1 ? text : text.slice(0, colon), "user name");
  const password = colon === -1 ? "" : decode(text.slice(colon + 1), "password");
  return {
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
  };
}

function parseAddress(text: string, defaultPort: number): NodeAddress {
  const [, v6, name, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]@]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new SyncError(
      NAME,
      "the connection string has a host that cannot be read",
      "separate host:port pairs by commas, put IPv6 addresses in [ ], and escape @ / ? # , in the password (%40 %2F %3F %23 %2C)",
    );
  }
  return { host, port };
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The error would have nothing to add: it only says that this is malformed.
    throw new SyncError(
      NAME,
      `the connection string's ${what} has a % that begins no escape`,
      "write %25 for it",
    );
  }
}
