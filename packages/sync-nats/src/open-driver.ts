import { DEFAULT_KEY_PREFIX, SyncError } from "@teleportal/sync-core";
import type { SyncDriver } from "@teleportal/sync-core";
import { readConnectionOptions } from "./connection-options.ts";
import { isNatsConnection } from "./nats-connection-like.ts";
import { createNatsDriver } from "./nats-driver.ts";
import { borrowLink, createOwnLink } from "./nats-link.ts";
import type { NatsLink } from "./nats-link.ts";
import type { NatsSyncOptions } from "./options.ts";
import { createSubjects } from "./subject.ts";

const NAME = "sync-nats";

/**
 * The driver for what `connection` names.
 *
 * @throws SyncError if `@nats-io/transport-node` is not installed, or for an option that cannot work.
 */
export async function openDriver({
  connection,
  options,
  keyPrefix = DEFAULT_KEY_PREFIX,
}: Pick<NatsSyncOptions, "connection" | "options" | "keyPrefix">): Promise<SyncDriver> {
  const subjects = createSubjects(keyPrefix);
  return createNatsDriver(await openLink(connection, options), subjects);
}

async function openLink(
  connection: NatsSyncOptions["connection"],
  clientOptions: NatsSyncOptions["options"],
): Promise<NatsLink> {
  if (typeof connection === "object" && isNatsConnection(connection)) {
    if (clientOptions !== undefined) {
      throw new SyncError(
        NAME,
        "`options` have no effect on a connection that is handed in",
        "give them to nats.js where it is made",
      );
    }
    if (connection.isClosed()) {
      throw new SyncError(NAME, "the connection handed in is closed", "hand in one that is open");
    }
    return borrowLink(connection);
  }
  const options = readConnectionOptions(connection, clientOptions ?? {});
  return createOwnLink(await importConnect(), options);
}

async function importConnect(): Promise<typeof import("@nats-io/transport-node").connect> {
  try {
    return (await import("@nats-io/transport-node")).connect;
  } catch (cause) {
    throw new SyncError(
      NAME,
      "@nats-io/transport-node is not installed",
      "npm install @nats-io/transport-node",
      cause,
    );
  }
}
