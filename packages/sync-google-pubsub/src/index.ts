import { openSyncTransportFactory, DEFAULT_KEY_PREFIX, SyncError } from "@teleportal/sync-core";
import type { Logger, SyncTransportFactory, SyncTransportOptions } from "@teleportal/sync-core";
import type { ClientConfig, PubSub } from "@google-cloud/pubsub";
import { parseConnectionString } from "./connection-string.ts";
import { createGooglePubsubDriver } from "./google-pubsub-driver.ts";
import { NAME } from "./name.ts";
import type { PubsubLibrary } from "./pubsub-clients.ts";
import { checkTopicName, topicNameOf } from "./topic-name.ts";

/** Everything but the connection. */
export interface GooglePubsubSyncSettings extends Omit<
  SyncTransportOptions<unknown>,
  "context" | "logger"
> {
  /**
   * The topic's name, without `projects/…/topics/` in front; the same on all instances. It goes before one in a URL.
   * @default one derived from `keyPrefix`: `teleportal:sync:` has the topic `teleportal.sync.`
   */
  readonly topic?: string;
  /**
   * Whether the topic is created when it is missing. `false` where infrastructure is made by others: the factory then
   * is `degraded` until somebody has made it.
   * @default true
   */
  readonly createTopic?: boolean;
  /**
   * Milliseconds that other instances have, when this one starts, to say that they live; then the subscriptions of
   * those that have not are removed.
   * @default 30000
   */
  readonly orphanPatience?: number;
  /**
   * Handed to the client library together with the connection.
   * @example { keyFilename: "service-account.json" }
   */
  readonly options?: ClientConfig;
}

export interface GooglePubsubSyncOptions extends GooglePubsubSyncSettings {
  /**
   * A URL (`google-pubsub://my-project`), an object of the client library's options, or a `PubSub` client. Of a client
   * the project, endpoint and credentials are used; its connections are not, and it stays the caller's to close.
   * `PUBSUB_EMULATOR_HOST` counts as it does for the library.
   * @example { projectId: "my-project", apiEndpoint: "127.0.0.1:8085" }
   */
  readonly connection: string | ClientConfig | PubSub;
}

/**
 * Milliseconds. Slower than elsewhere, as each heartbeat is billed at every instance, and as Pub/Sub now and then takes
 * seconds: a link that is replaced too early costs more than one that is found dead a little later.
 */
const HEARTBEAT = { interval: 5000, deadline: 10_000, lease: 20_000 };

/**
 * Keeps servers in step over Google Cloud Pub/Sub. Resolves after the first attempt to connect, successful or not, and
 * after 3 seconds at the latest: while Pub/Sub cannot be used the factory is `degraded`, and everything connects and
 * catches up by itself later.
 *
 * @throws SyncError if @google-cloud/pubsub is not installed, or for an option that cannot work.
 */
export async function createGooglePubsubServerSyncTransportFactory<Context>(
  options: GooglePubsubSyncOptions,
  context: Context,
  logger: Logger,
): Promise<SyncTransportFactory<Context>> {
  const {
    connection,
    topic,
    createTopic = true,
    orphanPatience = 30_000,
    options: clientOptions = {},
    ...settings
  } = options;
  const { keyPrefix = DEFAULT_KEY_PREFIX } = settings;
  const { config, topic: topicOfUrl } =
    typeof connection === "string"
      ? parseConnectionString(connection)
      : { config: connection, topic: undefined };
  const topicName = topic ?? topicOfUrl ?? topicNameOf(keyPrefix);
  checkTopicName(topicName);
  const library = await importPubsub();
  const driver = createGooglePubsubDriver({
    library,
    ...(isPubsub(config)
      ? { pubsub: config, ownsPubsub: false }
      : { pubsub: new library.PubSub({ ...config, ...clientOptions }), ownsPubsub: true }),
    topic: topicName,
    createTopic,
    orphanPatience,
    logger,
  });
  return openSyncTransportFactory(driver, {
    ...settings,
    heartbeat: { ...HEARTBEAT, ...settings.heartbeat },
    context,
    logger,
  });
}

/**
 * The same from a URL: `google-pubsub://my-project`, with `?endpoint=127.0.0.1:8085` for an emulator (no TLS and no
 * credentials) and `?topic=name`.
 *
 * @throws SyncError for a URL that says anything else, and as the function above.
 */
export function createGooglePubsubServerSyncTransportFactoryFromConnectionString<Context>(
  url: string,
  context: Context,
  logger: Logger,
  settings: GooglePubsubSyncSettings = {},
): Promise<SyncTransportFactory<Context>> {
  return createGooglePubsubServerSyncTransportFactory(
    { ...settings, connection: url },
    context,
    logger,
  );
}

function isPubsub(value: object): value is PubSub {
  return "getClientConfig" in value && typeof value.getClientConfig === "function";
}

async function importPubsub(): Promise<PubsubLibrary> {
  try {
    return await import("@google-cloud/pubsub");
  } catch (cause) {
    throw new SyncError(
      NAME,
      "@google-cloud/pubsub is not installed",
      "npm install @google-cloud/pubsub",
      cause,
    );
  }
}
