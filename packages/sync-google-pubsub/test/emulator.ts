import { afterEach, vi } from "vitest";
import type { Logger, SyncTransportFactory } from "@teleportal/sync-core";
import { silentLogger } from "@teleportal/sync-core";
import { createGooglePubsubServerSyncTransportFactoryFromConnectionString } from "@teleportal/sync-google-pubsub";
import type { GooglePubsubSyncSettings } from "@teleportal/sync-google-pubsub";
import { findGooglePubsub, requireBroker, startGooglePubsub } from "@teleportal/test-brokers";
import type { GooglePubsubBroker } from "@teleportal/test-brokers";
import { reached, useBroker } from "@teleportal/test-transports";

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
  const used = useBroker(startGooglePubsub);
  afterEach(() => vi.unstubAllEnvs());

  async function fromUrl(
    url = urlOf(used.broker),
    logger: Logger = silentLogger,
    settings: GooglePubsubSyncSettings = {},
  ) {
    return used.keep(
      await createGooglePubsubServerSyncTransportFactoryFromConnectionString(
        url,
        undefined,
        logger,
        settings,
      ),
    );
  }

  async function subscriptionsOf(
    topic: string,
    of: GooglePubsubBroker = used.broker,
  ): Promise<string[]> {
    const answer = (await of.rest("GET", `topics/${topic}/subscriptions`)) as {
      subscriptions?: string[];
    };
    return answer.subscriptions ?? [];
  }

  return {
    get broker() {
      return used.broker;
    },
    keep: used.keep,
    fromUrl,
    subscriptionsOf,
  };
}
