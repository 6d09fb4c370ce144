import type { SyncDriver } from "../contract/driver.ts";
import type { PeerMessage, TransportSignal } from "../contract/message.ts";
import { decodeContent, decodeEnvelope } from "../wire/envelope.ts";
import type { DecodedEnvelope } from "../wire/envelope.ts";
import { PartJoiner } from "../wire/parts.ts";
import type { Ledger } from "./ledger.ts";
import type { SyncTransportSettings } from "./options.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxBudget, Published } from "./outbox.ts";
import { createPort } from "./port.ts";
import type { Port } from "./port.ts";
import { Subscription } from "./subscription.ts";
import { within } from "./within.ts";

/** One document on the broker: a subscription and an outbox, shared by the document's transports. */
export interface Channel<Context> {
  /** Opens a transport; resolves when the subscription is live or cannot be now. */
  open(): Promise<Port<Context>>;
  /** The driver's connection has changed. */
  link(up: boolean): void;
  /** An envelope has come for it, on its own channel or in a bundle. */
  receive(bytes: Uint8Array): void;
  /** Tells every transport's reader. */
  signal(signal: TransportSignal): void;
  /** Ends every transport. */
  close(): Promise<void>;
}

export interface ChannelHost {
  readonly driver: SyncDriver;
  readonly budget: OutboxBudget;
  readonly ledger: Ledger;
  readonly linkUp: boolean;
  flushAfterTurn(outbox: Outbox): void;
  newSender(sender: string): void;
  /** A transport through which these have written has ended. */
  sendersGone(senders: ReadonlySet<string>): void;
  /** Sends it with those of other documents; false if it has to go alone. */
  bundle(channel: string, message: PeerMessage): boolean;
  /** Calls `alone` when it has turned out that no other instance has the channel's document open. */
  whoHas(channel: string, alone: () => void): void;
  /** The last transport has ended. */
  empty(name: string): void;
}

/** So long after its opening a document's first client may be waiting for the peers, in milliseconds. */
const OPENING = 2000;

export function createChannel<Context>(
  name: string,
  host: ChannelHost,
  options: SyncTransportSettings<Context>,
): Channel<Context> {
  const { driver, ledger } = host;
  const ports = new Set<Port<Context>>();
  /** Those of them whose `createTransport` has resolved: they are told of each change of the link. */
  const opened = new Set<Port<Context>>();
  const createdAt = performance.now();
  let joiner: PartJoiner | undefined;
  let live = false;

  const outbox = new Outbox(driver, name, options.outboxBytes, host.budget, {
    published: (bytes) => ledger.published(bytes),
    settled(published) {
      ledger.recovered("publish");
      lookWhoWasReached(published);
    },
    failed(messages, cause) {
      ledger.droppedOut(messages.length);
      ledger.failed("publish", name, cause);
      signalSenders(messages, { kind: "lost", direction: "out" });
    },
    relieved() {
      for (const port of ports) port.deliver({ kind: "lost", direction: "out" });
    },
  });

  const subscription = new Subscription(driver, name, {
    bytes: receive,
    held() {
      ledger.recovered("subscribe");
      updateLive();
    },
    failed: (cause) => ledger.failed("subscribe", name, cause),
    canSubscribe: () => host.linkUp,
  });

  function updateLive(): void {
    const now = subscription.held && host.linkUp;
    if (now === live) return;
    live = now;
    for (const port of opened) port.deliver({ kind: live ? "up" : "down" });
  }

  function lookWhoWasReached({ messages, receivers }: Published): void {
    const toEveryone = messages.some(({ kind, to }) => kind === "request" && to === undefined);
    if (!toEveryone || ports.size > 1) return;
    const alone = (): void => {
      if (ports.size === 1) signalSenders(messages, { kind: "alone" });
    };
    if (receivers === undefined) {
      if (performance.now() - createdAt < OPENING) host.whoHas(name, alone);
      return;
    }
    const own = driver.capabilities.echo === "always" ? 1 : 0;
    if (receivers <= own) alone();
  }

  function signalSenders(
    messages: readonly PeerMessage[],
    signal: { kind: "alone" } | { kind: "lost"; direction: "out" },
  ): void {
    for (const port of ports) {
      if (messages.some((message) => port.senders.has(message.sender))) port.deliver(signal);
    }
  }

  function receive(bytes: Uint8Array): void {
    const decoded = decodeEnvelope(bytes, isOwn);
    if (decoded.type !== "part") {
      deliver(decoded, bytes.length);
      return;
    }
    joiner ??= new PartJoiner(options.partBytes);
    const joined = joiner.add(decoded.part);
    if (joined.type === "content") {
      deliver(decodeContent(decoded.part, joined.content), bytes.length);
    } else if (joined.type === "waiting") {
      ledger.received(bytes.length);
    } else {
      ledger.malformed(name, joined.reason);
    }
  }

  function deliver(decoded: DecodedEnvelope, size: number): void {
    switch (decoded.type) {
      case "messages":
        ledger.received(size);
        if (decoded.unknownKinds > 0) ledger.unknownKind(name, decoded.unknownKinds);
        for (const message of decoded.messages) {
          const delivered = withContext(message);
          for (const port of ports) port.deliver(delivered);
        }
        return;
      case "skipped":
        ledger.echo();
        return;
      case "unknown-version":
        ledger.unknownVersion(name, decoded.version);
        return;
      case "malformed":
      case "part":
        ledger.malformed(name, "malformed");
    }
  }

  function withContext(message: PeerMessage): PeerMessage<Context> {
    const { context } = options;
    return context === undefined ? (message as PeerMessage<Context>) : { ...message, context };
  }

  function isOwn(sender: string): boolean {
    for (const port of ports) if (port.senders.has(sender)) return true;
    return false;
  }

  function send(port: Port<Context>, message: PeerMessage): void {
    // The factory's other transports for this document hear it here, as the broker's echo is left out.
    if (ports.size > 1) {
      const delivered = withContext(message);
      // Not at once: the one who writes is in the middle of something.
      queueMicrotask(() => {
        for (const sibling of ports) if (sibling !== port) sibling.deliver(delivered);
      });
    }
    if (live && message.kind === "renewal" && host.bundle(name, message)) return;
    if (!live || !outbox.put(message)) {
      ledger.droppedOut(1);
      return;
    }
    host.flushAfterTurn(outbox);
  }

  async function release(port: Port<Context>): Promise<void> {
    outbox.flush();
    await within(options.brokerTimeout, outbox.drained());
    opened.delete(port);
    if (!ports.delete(port)) return;
    port.end();
    host.sendersGone(port.senders);
    if (ports.size > 0) return;
    await within(options.brokerTimeout, subscription.want(false));
    // A transport may have been opened while the subscription was given up.
    if (ports.size > 0) return;
    live = false;
    host.empty(name);
  }

  return {
    async open() {
      const port = createPort<Context>(options.readableBytes, {
        send,
        newSender: (sender) => host.newSender(sender),
        droppedIn: () => ledger.droppedIn(),
        released: release,
      });
      ports.add(port);
      await within(options.brokerTimeout, subscription.want(true));
      updateLive();
      opened.add(port);
      if (!live) port.deliver({ kind: "down" });
      return port;
    },
    link(up) {
      updateLive();
      if (up) subscription.retry();
    },
    receive,
    signal(signal) {
      for (const port of opened) port.deliver(signal);
    },
    async close() {
      await Promise.all([...ports].map(release));
    },
  };
}
