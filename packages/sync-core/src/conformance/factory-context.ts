import type { DriverCapabilities, SyncDriver } from "../contract/driver.ts";
import { silentLogger } from "../contract/logger.ts";
import type { Message, PeerMessage, TransportSignal } from "../contract/message.ts";
import { isPeerMessage } from "../contract/message.ts";
import type { ServerSyncTransportFactory, TransportStreams } from "../contract/transport.ts";
import { createPeerId } from "../wire/peer-id.ts";
import { ConformanceError } from "./check.ts";
import { createCondition, settles } from "./condition.ts";
import { bounded } from "./bounded-faults.ts";
import type { LinkLosses, LinkState } from "./link-losses.ts";
import type { BrokerFaults, CallersClient, FactoryOptions, Way } from "./target.ts";

/** What is known of a factory. A hand-written one that has no `capabilities` is held to the strictest. */
export type FactoryCapabilities = Pick<DriverCapabilities, "ordering" | "delivery" | "recovery">;

export const STRICTEST: FactoryCapabilities = {
  ordering: "channel",
  delivery: "at-most-once",
  recovery: "automatic",
};

/** What a factory check works with. All that it opens is closed behind it. */
export interface FactoryContext {
  readonly capabilities: FactoryCapabilities;
  /** How long anything may take, in milliseconds. */
  readonly patience: number;
  /** An id that no other check uses; `suffix` makes several. */
  document(suffix?: string): string;
  /** What every channel's name of this check begins with, if the target hands it on. */
  readonly keyPrefix: string;
  /** One more instance. */
  open(options?: { way?: Way; context?: unknown }): Promise<FactoryInstance>;
  /** A driver beside the factories, to put foreign bytes on their channels. */
  openDriver(): Promise<SyncDriver>;
  openWithCallersClient(): Promise<CallersClient>;
  /** @throws ConformanceError if the target brings none: what can break and is never broken is not checked. */
  faults(): BrokerFaults;
  /** To be run after the check, whatever comes of it. */
  afterwards(cleanUp: () => Promise<void>): void;
  /** Sends through `from` what `to` then receives: all that was sent before has arrived, or never will. */
  fence(from: TransportProbe, to: TransportProbe): Promise<void>;
  /** @throws ConformanceError with `otherwise` if `work` has not settled within the patience. */
  settles<Value>(work: Promise<Value>, otherwise: string): Promise<Value>;
}

export interface FactoryInstance {
  readonly factory: ServerSyncTransportFactory;
  createTransport(documentId: string): Promise<TransportProbe>;
  /** Closes the factory; may be called again, as the contract has it. */
  close(): Promise<void>;
}

/** A transport, and what has come out of it. */
export interface TransportProbe {
  /** What this probe writes as. */
  readonly sender: string;
  readonly messages: readonly PeerMessage[];
  readonly signals: readonly TransportSignal[];
  /** The updates that were written by `send`, fences left out. */
  readonly texts: readonly string[];
  /** Writes an update that carries `text`. */
  send(text: string): Promise<void>;
  write(message: PeerMessage): Promise<void>;
  hears(text: string): Promise<void>;
  /** Resolves with the message for which `wanted` holds, once it has come. */
  receives(wanted: (message: PeerMessage) => boolean, what: string): Promise<PeerMessage>;
  /** Resolves when the signal has come, or has since there were `since` signals. */
  says(kind: TransportSignal["kind"], since: number): Promise<void>;
  /** Whether `readable` has closed. */
  readonly ended: boolean;
  ends(): Promise<void>;
  /** Closes `writable`. */
  close(): Promise<void>;
  /** Cancels `readable`. */
  cancel(): Promise<void>;
}

const FENCE = "fence ";

/** Where there is no order, a single fence proves little. */
const FENCES_WITHOUT_ORDER = 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface FactoryContextSettings {
  readonly capabilities: FactoryCapabilities;
  readonly patience: number;
  readonly prefix: string;
  readonly losses: LinkLosses;
  /** What breaks the link, if the target brings it; whatever is broken is healed after the check. */
  useFaults(): BrokerFaults | undefined;
  openFactory(options: FactoryOptions, way: Way): Promise<ServerSyncTransportFactory>;
  openDriver: ((way: Way) => Promise<SyncDriver>) | undefined;
  openWithCallersClient: ((options: FactoryOptions) => Promise<CallersClient>) | undefined;
  /** To be run after the check. */
  afterwards(cleanUp: () => Promise<void>): void;
}

export function createFactoryContext(settings: FactoryContextSettings): FactoryContext {
  const { capabilities, patience, prefix, losses, afterwards } = settings;
  const keyPrefix = `${prefix}:`;
  let fences = 0;

  return {
    capabilities,
    patience,
    keyPrefix,
    afterwards,
    document: (suffix = "") => prefix + suffix,
    async open({ way = "direct", context } = {}) {
      const factory = await settings.openFactory({ keyPrefix, context, logger: silentLogger }, way);
      const close = (): Promise<void> => factory.close();
      afterwards(close);
      return {
        factory,
        async createTransport(documentId) {
          const transport = await settles(
            factory.createTransport(documentId),
            patience,
            "`createTransport` did not settle",
          );
          return createTransportProbe(transport, patience, losses.follow(way, true));
        },
        close,
      };
    },
    async openDriver() {
      if (settings.openDriver === undefined) throw new ConformanceError("there is no driver");
      const driver = await settings.openDriver("direct");
      afterwards(() => driver.close());
      const up = createCondition(patience);
      let isUp = false;
      driver.watch(({ state }) => {
        isUp = state === "up";
        up.changed();
      });
      await up.until(
        () => isUp,
        () => "the driver did not say `up`",
      );
      return driver;
    },
    async openWithCallersClient() {
      const options = { keyPrefix, context: undefined, logger: silentLogger };
      const client = await settings.openWithCallersClient?.(options);
      if (client === undefined) throw new ConformanceError("there is no client of the caller's");
      afterwards(() => client.close());
      afterwards(() => client.factory.close());
      return client;
    },
    faults() {
      const faults = settings.useFaults();
      if (faults !== undefined) return losses.excusing(bounded(faults, patience));
      throw new ConformanceError(
        "the target brings no `faults` to show how the factory recovers; one that has no link to lose says so: " +
          '`capabilities: { recovery: "none" }`',
      );
    },
    async fence(from, to) {
      const count = capabilities.ordering === "none" ? FENCES_WITHOUT_ORDER : 1;
      for (let i = 0; i < count; i++) {
        const text = FENCE + fences++;
        await from.send(text);
        await to.hears(text);
      }
    },
    settles: (work, otherwise) => settles(work, patience, otherwise),
  };
}

export function updateMessage(sender: string, seq: number, text: string): PeerMessage {
  return { kind: "update", sender, epoch: 1, seq, frames: [encoder.encode(text)] };
}

export function createTransportProbe(
  { readable, writable }: TransportStreams<unknown>,
  patience: number,
  follow: (said: LinkState) => void,
): TransportProbe {
  const sender = createPeerId();
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const messages: PeerMessage[] = [];
  const signals: TransportSignal[] = [];
  const texts: string[] = [];
  const heard = new Set<string>();
  const condition = createCondition(patience);
  let seq = 0;
  let ended = false;
  let failure: unknown;

  function take(message: Message): void {
    if (!isPeerMessage(message)) {
      signals.push(message);
      if (message.kind === "up" || message.kind === "down") follow({ state: message.kind });
      return;
    }
    messages.push(message);
    if (message.kind !== "update") return;
    for (const frame of message.frames) {
      const text = decoder.decode(frame);
      heard.add(text);
      if (!text.startsWith(FENCE)) texts.push(text);
    }
  }

  async function readAll(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        take(value);
        condition.changed();
      }
    } catch (cause) {
      failure = cause;
    }
    ended = true;
    condition.changed();
  }
  void readAll();

  /** A stream that has failed is the reason why nothing comes. */
  function describe(text: string): string {
    if (failure !== undefined) return `${text}: \`readable\` failed with ${String(failure)}`;
    return ended ? `${text}: \`readable\` has closed` : text;
  }

  const probe: TransportProbe = {
    sender,
    messages,
    signals,
    texts,
    async send(text) {
      seq += 1;
      await probe.write(updateMessage(sender, seq, text));
    },
    write: (message) => settles(writer.write(message), patience, "a write did not settle"),
    hears: (text) =>
      condition.until(
        () => heard.has(text),
        () => describe(`${JSON.stringify(text.slice(0, 40))} did not arrive`),
      ),
    async receives(wanted, what) {
      let found: PeerMessage | undefined;
      await condition.until(
        () => {
          found = messages.find(wanted);
          return found !== undefined;
        },
        () => describe(`${what} did not arrive`),
      );
      if (found === undefined) throw new ConformanceError(`${what} did not arrive`);
      return found;
    },
    says: (kind, since) =>
      condition.until(
        () => signals.slice(since).some((signal) => signal.kind === kind),
        () => describe(`the transport did not say \`${kind}\``),
      ),
    get ended() {
      return ended;
    },
    ends: () =>
      condition.until(
        () => ended,
        () => "`readable` did not close",
      ),
    close: () => settles(writer.close(), patience, "closing `writable` did not settle"),
    cancel: () => settles(reader.cancel(), patience, "cancelling `readable` did not settle"),
  };
  return probe;
}
