import { AsyncResource } from "node:async_hooks";
import { SyncError } from "@teleportal/sync-core";
import type { NodeConnectionOptions } from "@nats-io/transport-node";

const NAME = "sync-nats";

/**
 * A link on which nothing comes back is given up after two unanswered pings, so within 2.5 to 3.75 s. Two, not one: a
 * process that stood still would else take the answer that it has not read yet for a missing one.
 */
const PING_INTERVAL = 1250;
const MAX_PING_OUT = 2;

/** Milliseconds that an attempt to connect may take. */
const CONNECT_TIMEOUT = 2000;

/** Milliseconds from one attempt on all servers to the next, and at most as much again at random. */
const RECONNECT_TIME_WAIT = 500;

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 4222;

/** What the driver's own connections are made with. */
export interface OwnConnectionOptions extends NodeConnectionOptions {
  readonly servers: string[];
}

/** What may be changed by the caller. */
const DEFAULTS = {
  pingInterval: PING_INTERVAL,
  maxPingOut: MAX_PING_OUT,
  timeout: CONNECT_TIMEOUT,
  reconnectTimeWait: RECONNECT_TIME_WAIT,
  reconnectJitter: RECONNECT_TIME_WAIT,
  reconnectJitterTLS: RECONNECT_TIME_WAIT,
} as const satisfies NodeConnectionOptions;

/** What the promises rest on. */
const FIXED = {
  noEcho: true,
  // The driver does this by itself: nats.js would keep to itself why an attempt has failed.
  reconnect: false,
  waitOnFirstConnect: false,
} as const satisfies NodeConnectionOptions;

interface Refused {
  is(options: NodeConnectionOptions): boolean;
  readonly failure: string;
  readonly remedy?: string;
}

/** Those of them that would be a surprise if they were just replaced. */
const REFUSED: readonly Refused[] = [
  {
    is: (options) => options.noEcho === false,
    failure: "`noEcho: false` would have the server send back every message",
  },
  {
    is: (options) => options.reconnect === false,
    failure: "`reconnect: false` would end syncing with the first interruption",
  },
  {
    is: ({ maxReconnectAttempts = -1 }) => maxReconnectAttempts !== -1,
    failure: "`maxReconnectAttempts` would end syncing with a longer interruption",
  },
  {
    is: ({ reconnectToServer }) => reconnectToServer !== undefined,
    failure: "`reconnectToServer` would be asked about one server at a time",
    remedy: "order `servers` and set `noRandomize`",
  },
];

/**
 * What nats.js is connected with. URLs are read here: nats.js takes no notice of the user, the password and the `tls:`
 * in them.
 *
 * @throws SyncError for what cannot work; its message has no credentials in it.
 */
export function readConnectionOptions(
  connection: string | readonly string[] | NodeConnectionOptions,
  options: NodeConnectionOptions,
): OwnConnectionOptions {
  const given =
    typeof connection === "string" || isList(connection)
      ? { servers: [connection].flat() }
      : connection;
  const merged = { ...given, ...options };
  for (const { is, failure, remedy = "leave it out" } of REFUSED) {
    if (is(merged)) throw new SyncError(NAME, failure, remedy);
  }
  const { servers = [], port, ...rest } = merged;
  const urls = [servers].flat();
  const isListed = urls.length > 0;
  // nats.js does not take both, and would say so at each attempt.
  if (isListed && port !== undefined) {
    throw new SyncError(NAME, "`port` is given beside `servers`", "put it into the URL");
  }
  const where = readServers(isListed ? urls : [`${DEFAULT_HOST}:${port ?? DEFAULT_PORT}`]);
  return bindAuthenticators({ ...DEFAULTS, ...where, ...rest, ...FIXED });
}

function isList(value: readonly string[] | NodeConnectionOptions): value is readonly string[] {
  return Array.isArray(value);
}

type Credentials = Pick<NodeConnectionOptions, "user" | "pass" | "token">;

function readServers(servers: readonly string[]): OwnConnectionOptions {
  const urls = servers.flatMap((server) => server.split(",")).map(readUrl);
  const credentials = urls.map(credentialsOf).filter((found) => found !== undefined);
  const [first] = credentials;
  // nats.js logs in to every server with the same ones.
  if (credentials.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
    throw new SyncError(
      NAME,
      "the connection string has different credentials for different servers",
      "use the same for all of one cluster",
    );
  }
  const secure = urls.some(({ protocol }) => protocol === "tls:");
  return {
    // As servers are told of by others, which are not to be taken for further ones.
    servers: urls.map(({ host, port }) => (port === "" ? `${host}:${DEFAULT_PORT}` : host)),
    ...first,
    // With it, a server that does not offer TLS is refused.
    ...(secure && { tls: {} }),
  };
}

/** `user:password@`, or a token alone. */
function credentialsOf({ username, password }: URL): Credentials | undefined {
  if (username === "") return undefined;
  try {
    const user = decodeURIComponent(username);
    return password === "" ? { token: user } : { user, pass: decodeURIComponent(password) };
  } catch {
    throw new SyncError(
      NAME,
      "the credentials in the connection string are not percent-encoded",
      "encode them with encodeURIComponent",
    );
  }
}

const EXPECTED_URL = "use nats://host:4222, or tls:// for TLS; several go with commas between";

function readUrl(text: string): URL {
  const trimmed = text.trim();
  let url: URL;
  try {
    url = new URL(trimmed.includes("://") ? trimmed : `nats://${trimmed}`);
  } catch {
    // Without the cause: it quotes the whole string, with the password.
    throw new SyncError(NAME, "the connection string is not a URL", EXPECTED_URL);
  }
  if (url.protocol !== "nats:" && url.protocol !== "tls:") {
    throw new SyncError(NAME, `the connection string has the scheme ${url.protocol}`, EXPECTED_URL);
  }
  if (url.host === "") {
    throw new SyncError(NAME, "the connection string names no host", EXPECTED_URL);
  }
  return url;
}

/** They are the caller's code: what sockets they open are not the connection's own. */
function bindAuthenticators(options: OwnConnectionOptions): OwnConnectionOptions {
  const { authenticator } = options;
  if (authenticator === undefined) return options;
  const bound = [authenticator].flat().map((each) => AsyncResource.bind(each));
  return { ...options, authenticator: bound };
}
