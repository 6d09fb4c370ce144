import { afterAll, afterEach, beforeAll, vi } from "vitest";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { silentLogger } from "@teleportal/sync-core";
import { createGooglePubsubServerSyncTransportFactoryFromConnectionString } from "@teleportal/sync-google-pubsub";
import type { GooglePubsubSyncSettings } from "@teleportal/sync-google-pubsub";
import { findGooglePubsub, requireBroker, startGooglePubsub } from "@teleportal/test-brokers";
import type { GooglePubsubBroker } from "@teleportal/test-brokers";
import { reached } from "@teleportal/test-transports";

export const A = "aaaaaaaaaaaaaaaa";
export const B = "bbbbbbbbbbbbbbbb";

/** Of the default key prefix. */
export const TOPIC = "teleportal.sync.";

export const pubsub = requireBroker("Google Pub/Sub emulator", findGooglePubsub());

export const connected = (factory: SyncTransportFactory<unknown>): Promise<void> =>
  reached(factory, "connected");

export function urlOf({ host, port }: { host: string; port: number }): string {
  return `google-pubsub://test-project?endpoint=${host}:${port}`;
}

/** An emulator for the tests of a `describe`; the factories that they open are closed after each. */
export function useEmulator() {
  let broker: GooglePubsubBroker;
  const factories: SyncTransportFactory<unknown>[] = [];

  beforeAll(async () => {
    broker = await startGooglePubsub();
  });
  afterEach(async () => {
    await Promise.all(factories.splice(0).map((factory) => factory.close()));
    vi.unstubAllEnvs();
  });
  afterAll(() => broker.stop());

  async function fromUrl(
    url = urlOf(broker),
    logger: Logger = silentLogger,
    settings: GooglePubsubSyncSettings = {},
  ) {
    const factory = await createGooglePubsubServerSyncTransportFactoryFromConnectionString(
      url,
      undefined,
      logger,
      settings,
    );
    factories.push(factory);
    return factory;
  }

  async function subscriptionsOf(
    topic: string,
    of: GooglePubsubBroker = broker,
  ): Promise<string[]> {
    const answer = (await of.rest("GET", `topics/${topic}/subscriptions`)) as {
      subscriptions?: string[];
    };
    return answer.subscriptions ?? [];
  }

  return {
    /** The emulator; there is none before the first test. */
    get broker() {
      return broker;
    },
    factories,
    fromUrl,
    subscriptionsOf,
  };
}
