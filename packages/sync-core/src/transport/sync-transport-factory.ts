import type { DriverCapabilities, DriverConnection, SyncDriver } from "../contract/driver.ts";
import type { RoundTrips, SyncMetrics, SyncStatus } from "../contract/status.ts";
import type { PeerMessage } from "../contract/message.ts";
import type { DirectTransport, ServerSyncTransportFactory } from "../contract/transport.ts";
import { describeCause, SyncError } from "../sync-error.ts";
import { createBundler, openBundle } from "./bundle.ts";
import { createChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { createLedger } from "./ledger.ts";
import { withDefaults } from "./options.ts";
import type { SyncTransportOptions } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import { RollCall } from "./roll-call.ts";
import { RoundTripHistogram } from "./round-trips.ts";
import { createSeal } from "./seal.ts";
import { createSealedDriver } from "./sealed-driver.ts";
import { Senders } from "./senders.ts";
import { createTurnBatch } from "./turn.ts";
import { within } from "./within.ts";

/** The factory every adapter returns: the contract, and what an operator wants to see. */
export interface SyncTransportFactory<Context> extends ServerSyncTransportFactory<Context> {
  createTransport(documentId: string): Promise<DirectTransport<Context>>;
  /** What the broker does by itself. */
  readonly capabilities: DriverCapabilities;
  /** Resolves when the driver's first attempt to connect has ended, successful or not. */
  readonly firstContact: Promise<void>;
  readonly status: SyncStatus;
  readonly metrics: SyncMetrics;
  readonly roundTrips: RoundTrips;
  /** What is on its way to the broker now, in bytes. */
  readonly outboxBytes: number;
  /** How many other instances of the deployment are alive, as far as is known. */
  readonly peers: number;
  /** Calls `listener` on each change of `status`; returns what ends that. */
  onStatus(listener: (status: SyncStatus) => void): () => void;
}

/** The longest document id, in UTF-16 code units: what leaves room for a prefix in every broker's channel names. */
export const MAX_DOCUMENT_ID_LENGTH = 4096;

/**
 * Everything a broker adapter needs once, around a {@link SyncDriver}: envelopes, one publish per event-loop turn
 * and document, splitting above the driver's limit, one subscription per document however many transports,
 * transports that are live when they resolve, echo suppression, status, counters and logging.
 *
 * @throws SyncError for a `secret` that cannot be used.
 *
 * Returned at once; a broker that cannot be reached makes it start `degraded`.
 */
export function createSyncTransportFactory<Context>(
  plainDriver: SyncDriver,
  options: SyncTransportOptions<Context>,
): SyncTransportFactory<Context> {
  const settings = withDefaults(options);
  const { logger } = settings;
  const ledger = createLedger(plainDriver.name, logger);
  const { secret } = options;
  const driver =
    secret === undefined
      ? plainDriver
      : createSealedDriver(plainDriver, createSeal(plainDriver.name, [secret].flat()), (channel) =>
          ledger.refused(channel),
        );
  const channels = new Map<string, Channel<Context>>();
  const senders = new Senders();
  const roundTrips = new RoundTripHistogram();
  const listeners = new Set<(status: SyncStatus) => void>();
  const flushing = createTurnBatch<Outbox>(
    (outbox) => outbox.flush(),
    driver.together && ((flushAll) => driver.together?.(flushAll)),
  );
  let connection: DriverConnection["state"] | undefined;
  let closing: Promise<void> | undefined;
  let status: SyncStatus = "degraded";
  let hear: () => void;
  const firstContact = new Promise<void>((resolve) => {
    hear = resolve;
  });

  const host = {
    driver,
    ledger,
    budget: { held: 0, cap: settings.outboxTotalBytes },
    get linkUp() {
      return connection === "up" && closing === undefined;
    },
    flushAfterTurn: flushing.add,
    newSender(sender: string) {
      senders.add(sender);
      heartbeat.announce(sender);
    },
    sendersGone: (gone: ReadonlySet<string>) => senders.remove(gone),
    bundle: (name: string, message: PeerMessage) =>
      bundler.put(name.slice(settings.keyPrefix.length), message),
    whoHas: (name: string, alone: () => void) =>
      rollCall.ask(name.slice(settings.keyPrefix.length), alone),
    empty: (name: string) => void channels.delete(name),
  };

  function setStatus(next: SyncStatus): void {
    if (next === status) return;
    status = next;
    for (const listener of listeners) {
      try {
        listener(next);
      } catch (cause) {
        logger.error(`[${driver.name}] a status listener threw: ${describeCause(cause)}`);
      }
    }
  }

  const heartbeat = createHeartbeat(driver, settings.keyPrefix, settings.heartbeat, {
    senders: () => senders.ids,
    gone(sender) {
      for (const channel of channels.values()) channel.signal({ kind: "gone", sender });
    },
    bundle(frames) {
      openBundle(frames, (documentId, envelope) => {
        channels.get(settings.keyPrefix + documentId)?.receive(envelope);
      });
    },
    rollCall: (sender, frames) => rollCall.called(sender, frames),
    absent: (sender, frames) => rollCall.absent(sender, frames),
    resumed() {
      logger.warn(
        `[${driver.name}] this process stood still: its documents are compared with the peers' again`,
      );
      for (const channel of channels.values()) if (host.linkUp) channel.signal({ kind: "up" });
    },
    silent() {
      logger.warn(`[${driver.name}] nothing comes back from the broker: reconnecting`);
      driver.reconnect?.();
    },
    roundTrip: (milliseconds) => roundTrips.add(milliseconds),
    failed: (cause) => ledger.failed("subscribe", "the instances' channel", cause),
  });

  const rollCall = new RollCall({
    peers: () => (heartbeat.knowsPeers ? heartbeat.peers : undefined),
    isOpen: (documentId) => channels.has(settings.keyPrefix + documentId),
    maxPayload: () => driver.capabilities.maxPayload,
    publish: heartbeat.publishRollCall,
  });

  const bundler = createBundler(() => driver.capabilities.maxPayload, heartbeat.publishBundle);

  driver.watch((next) => {
    if (closing !== undefined || next.state === connection) return;
    connection = next.state;
    if (next.state === "up") {
      logger.info(`[${driver.name}] connected`);
    } else {
      logger.warn(
        `[${driver.name}] the broker cannot be reached (${describeCause(next.cause)}): ` +
          "local work goes on, and syncing resumes by itself when it is back",
      );
    }
    setStatus(next.state === "up" ? "connected" : "degraded");
    heartbeat.link(next.state === "up");
    for (const channel of channels.values()) channel.link(next.state === "up");
    hear();
  });

  async function closeAll(): Promise<void> {
    await Promise.all([...channels.values()].map((channel) => channel.close()));
    await within(settings.brokerTimeout, heartbeat.close());
    await driver.close();
    setStatus("closed");
    listeners.clear();
  }

  return {
    capabilities: driver.capabilities,
    firstContact,
    get status() {
      return status;
    },
    metrics: ledger.metrics,
    roundTrips,
    get outboxBytes() {
      return host.budget.held;
    },
    get peers() {
      return heartbeat.peers.length;
    },
    onStatus(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async createTransport(documentId) {
      if (closing !== undefined) {
        throw new SyncError(driver.name, "the factory is closed", "make a new one");
      }
      checkDocumentId(driver.name, documentId);
      await within(settings.brokerTimeout, firstContact);
      const name = settings.keyPrefix + documentId;
      let channel = channels.get(name);
      if (channel === undefined) {
        channel = createChannel(name, host, settings);
        channels.set(name, channel);
      }
      const port = await channel.open();
      return port.transport;
    },
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}

function checkDocumentId(packageName: string, documentId: string): void {
  if (typeof documentId !== "string" || documentId === "") {
    throw new SyncError(packageName, "a document id is empty", "use any other string");
  }
  if (documentId.length > MAX_DOCUMENT_ID_LENGTH) {
    throw new SyncError(
      packageName,
      `a document id has ${documentId.length} characters`,
      `use at most ${MAX_DOCUMENT_ID_LENGTH}`,
    );
  }
  if (documentId.includes("\0")) {
    throw new SyncError(
      packageName,
      "a document id contains NUL",
      "leave it out; names with NUL are the transport's own",
    );
  }
  if (!documentId.isWellFormed()) {
    throw new SyncError(
      packageName,
      "a document id has half a surrogate pair",
      "use well-formed text: UTF-8 cannot carry it",
    );
  }
}
