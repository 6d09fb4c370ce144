import type { Logger } from "../contract/logger.ts";
import type { SyncMetrics } from "../contract/status.ts";
import { describeCause } from "../sync-error.ts";

type Operation = "publish" | "subscribe";

/** Counts everything and logs each change of state once, however many messages it touches. */
export interface Ledger {
  readonly metrics: SyncMetrics;
  published(bytes: number): void;
  received(bytes: number): void;
  echo(): void;
  droppedOut(count: number): void;
  droppedIn(): void;
  malformed(channel: string, reason: "malformed" | "too-large"): void;
  /** It was not sealed with one of the secrets, or was taken before. */
  refused(channel: string): void;
  unknownVersion(channel: string, version: number): void;
  unknownKind(channel: string, count: number): void;
  /** The broker has refused an operation; quiet until it has `recovered`. */
  failed(operation: Operation, channel: string, cause: unknown): void;
  recovered(operation: Operation): void;
}

const CONSEQUENCE = {
  publish: "the messages are dropped and repaired later",
  subscribe: "it is tried again every second, and local work goes on meanwhile",
} satisfies Record<Operation, string>;

export function createLedger(name: string, logger: Logger): Ledger {
  const metrics = {
    published: 0,
    publishedBytes: 0,
    received: 0,
    receivedBytes: 0,
    echoes: 0,
    malformed: 0,
    refused: 0,
    unknownVersion: 0,
    unknownKind: 0,
    droppedOut: 0,
    droppedIn: 0,
  };
  const said = new Set<string>();

  function warnOnce(topic: string, text: string): void {
    if (said.has(topic)) return;
    said.add(topic);
    logger.warn(`[${name}] ${text}`);
  }

  return {
    metrics,
    published(bytes) {
      metrics.published += 1;
      metrics.publishedBytes += bytes;
    },
    received(bytes) {
      metrics.received += 1;
      metrics.receivedBytes += bytes;
    },
    echo() {
      metrics.echoes += 1;
    },
    droppedOut(count) {
      metrics.droppedOut += count;
    },
    droppedIn() {
      metrics.droppedIn += 1;
    },
    malformed(channel, reason) {
      metrics.malformed += 1;
      warnOnce(
        `malformed/${reason}`,
        `unreadable bytes (${reason}) on ${channel}: skipped, and counted from now on; see who else publishes there`,
      );
    },
    refused(channel) {
      metrics.refused += 1;
      warnOnce(
        "refused",
        `bytes on ${channel} are not sealed with this instance's secret, or were played again: skipped, and ` +
          "counted from now on; see that all instances have the same secret, and who else publishes there",
      );
    },
    unknownVersion(channel, version) {
      metrics.unknownVersion += 1;
      warnOnce(
        `version/${version}`,
        `an envelope of version ${version} on ${channel}: skipped, and counted from now on; update this instance`,
      );
    },
    unknownKind(channel, count) {
      metrics.unknownKind += count;
      warnOnce(
        "kind",
        `a message of an unknown kind on ${channel}: skipped, and counted from now on; update this instance`,
      );
    },
    failed(operation, channel, cause) {
      warnOnce(
        operation,
        `${operation} on ${channel} failed (${describeCause(cause)}): ${CONSEQUENCE[operation]}`,
      );
    },
    recovered(operation) {
      if (said.delete(operation)) logger.info(`[${name}] ${operation} works again`);
    },
  };
}
